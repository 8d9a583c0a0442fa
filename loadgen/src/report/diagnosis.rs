//! What `diagnose` found, in the terminal: the finding and the staircase first, then why, what to do, and where to read on.

mod compared;
mod drawn;
mod progress;
mod words;

use super::{Paint, Terminal, wrap};
use crate::result::{Diagnosis, Outcome, RunResult, Verdict};
use drawn::{ROWS_MAX, ROWS_MIN, drawn};

pub(super) use compared::{ROWS as COMPARED_ROWS, compared};
pub use progress::{DiagnosisLines, step_in_words};
pub(super) use words::{facts, headline, recovery, row};

/// Rows of the usual terminal, without that of the prompt.
const ROWS: usize = 23;
/// Width of a label, so that the texts begin in one column.
const LABEL: usize = 12;

/// Prints what was found of the server of `result`.
pub fn diagnosis(terminal: &Terminal, result: &RunResult) {
    if let Some(diagnosis) = &result.diagnosis {
        lines(terminal, diagnosis, &result.verdict).iter().for_each(|line| terminal.line(line));
    }
}

fn lines(terminal: &Terminal, diagnosis: &Diagnosis, verdict: &Verdict) -> Vec<String> {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    head(terminal, diagnosis, verdict, &mut before);
    for evidence in &diagnosis.evidence {
        let label = if after.is_empty() { "Evidence" } else { "" };
        after.push(emphasised(terminal, label, wrap(&format!("  {label:<LABEL$}- "), &printable(evidence))));
    }
    labelled(terminal, "Advice", &diagnosis.advice, &mut after);
    labelled(terminal, "Surer with", diagnosis.surer_with.as_deref().unwrap_or_default(), &mut after);
    labelled(terminal, "Recovery", &recovery(diagnosis).unwrap_or_default(), &mut after);
    if let Some(lab) = &diagnosis.lab {
        labelled(terminal, "Next", &format!("loadgen lab {lab} shows this limit beside its fix"), &mut after);
    }
    let rows_of = |lines: &[String]| lines.iter().map(|line| line.lines().count().max(1)).sum::<usize>();
    let room = ROWS.saturating_sub(rows_of(&before) + rows_of(&after) + 1).clamp(ROWS_MIN, ROWS_MAX);
    let chart = drawn(terminal, diagnosis, room);
    let mut lines = before;
    for part in [chart, after].into_iter().filter(|part| !part.is_empty()) {
        lines.push(String::new());
        lines.extend(part);
    }
    lines
}

/// The verdict where there is none to be had, what was found, and its facts.
fn head(terminal: &Terminal, diagnosis: &Diagnosis, verdict: &Verdict, onto: &mut Vec<String>) {
    let (paint, headline) = match verdict.result {
        Outcome::Held => (Paint::Green, headline(diagnosis)),
        Outcome::NotHeld => (Paint::Red, headline(diagnosis)),
        Outcome::Invalid => (Paint::Yellow, "INVALID: no conclusion can be drawn from this run".to_owned()),
    };
    onto.push(wrap("  ", &headline).lines().map(|line| terminal.paint(paint, line)).collect::<Vec<_>>().join("\n"));
    verdict.invalid_because.iter().for_each(|why| labelled(terminal, "Because", why, onto));
    verdict.warnings.iter().for_each(|warning| labelled(terminal, "Warning", warning, onto));
    let facts: Vec<_> = facts(diagnosis).into_iter().map(|(name, fact)| format!("{name} {fact}")).collect();
    onto.push(wrap("  ", &printable(&facts.join(", "))));
    if !diagnosis.finding.is_empty() {
        onto.push(wrap("  ", &printable(&diagnosis.finding)));
    }
}

/// Without what a terminal would act upon: a file may say anything, and so may the headers of a server.
fn printable(text: &str) -> String {
    text.chars().filter(|character| !character.is_control() || character.is_whitespace()).collect()
}

/// A text behind its label, unless there is none.
fn labelled(terminal: &Terminal, label: &str, text: &str, onto: &mut Vec<String>) {
    if text.is_empty() {
        return;
    }
    onto.push(emphasised(terminal, label, wrap(&format!("  {label:<LABEL$}"), &printable(text))));
}

/// `lines` with their label in bold, if they have one.
fn emphasised(terminal: &Terminal, label: &str, lines: String) -> String {
    if label.is_empty() { lines } else { lines.replacen(label, &terminal.paint(Paint::Bold, label), 1) }
}

#[cfg(test)]
mod tests;
