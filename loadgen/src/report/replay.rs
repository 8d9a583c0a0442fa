//! What is printed of a result: by the command that made it, and again from its file.

use serde_json::Value;

use super::machines::machines;
use super::{
    Marks, Paint, Terminal, case_tables, comparison, diagnosis, goodput, labs_summary, matrices, prose_summary,
    request_times, sequence_call, sequence_heading, sequence_summary, single, verdict, with_calls, wrap,
};
use crate::result::{ArmResult, LabsResult, RunResult, SequenceStats};

/// Prints the figures and the verdict of a lab.
pub fn lab(terminal: &Terminal, result: &RunResult) {
    comparison(terminal, result);
    goodput(terminal, result);
    matrices(terminal, result);
    case_tables(terminal, result);
    terminal.line("");
    verdict(terminal, &result.verdict);
}

/// Prints the figures of the one server under load, and the verdict.
pub fn one_server(terminal: &Terminal, result: &RunResult) {
    let result = &*with_calls(result);
    terminal.line("");
    single(terminal, result);
    request_times(terminal, result);
    machines(terminal, &result.machines);
    terminal.line("");
    verdict(terminal, &result.verdict);
}

/// Prints what the command printed that made `result`.
pub fn replay(terminal: &Terminal, result: &RunResult) {
    let sequence = result.target.as_ref().and_then(|target| Some((target, target.sequence.as_ref()?)));
    if let Some((target, sequence)) = sequence {
        calls(terminal, result, target, sequence);
        verdict(terminal, &result.verdict);
    } else if result.diagnosis.is_some() {
        diagnosis(terminal, result);
    } else if result.target.is_some() {
        one_server(terminal, result);
    } else if result.command == "demo" {
        verdict(terminal, &result.verdict);
        terminal.line("");
        comparison(terminal, result);
        terminal.line("");
        terminal.line(wrap("  ", &prose_summary(result)));
    } else {
        lab(terminal, result);
    }
}

/// Prints what `labs` printed: each lab, then a line for each.
pub fn replay_labs(terminal: &Terminal, labs: &LabsResult) {
    for (name, run) in labs.in_order() {
        let Ok(result) = run else { continue };
        terminal.line(terminal.paint(Paint::Bold, name));
        terminal.line("");
        lab(terminal, result);
        terminal.line("");
    }
    labs_summary(terminal, labs);
}

fn calls(terminal: &Terminal, result: &RunResult, target: &ArmResult, sequence: &SequenceStats) {
    let parameter = |name: &str| result.parameters.get(name);
    let path = parameter("path").and_then(Value::as_str).unwrap_or_default();
    let as_in_source = parameter("as_in_source").and_then(Value::as_bool).unwrap_or(false);
    let marks = if as_in_source { Marks::AsInSource } else { Marks::Success };
    sequence_heading(terminal, &format!("{}{path}", target.program));
    sequence.calls.iter().for_each(|call| sequence_call(terminal, call, marks));
    sequence_summary(terminal, sequence);
}
