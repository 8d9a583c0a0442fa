//! A line for each call of a sequence.

use super::{Paint, Terminal, wrap};
use crate::numbers::{count, millis};
use crate::result::{SequenceCall, SequenceStats};

/// How calls are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    /// By whether they succeeded.
    Success,
    /// As the script of source 002 does: a tick for any answer, whatever its status.
    AsInSource,
}

/// Prints the heads of the columns.
pub fn sequence_heading(terminal: &Terminal, url: &str) {
    terminal.line(terminal.paint(Paint::Bold, &format!("  {url}")));
    let heads =
        format!("{:>6}{:>9}{:>8}{:>12}{:>8}{:>10}", "call", "request", "answer", "cumulative", "status", "time");
    terminal.line(terminal.paint(Paint::Dim, &heads));
}

/// Prints a call, and why it failed.
pub fn sequence_call(terminal: &Terminal, call: &SequenceCall, marks: Marks) {
    let status = call.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
    let (request, answer) = (count(call.request_tokens), count(call.answer_tokens));
    let (cumulative, took) = (count(call.cumulative_tokens), millis(call.duration_ms));
    let (mark, paint) = mark(call, marks);
    let mark = terminal.paint(paint, mark);
    terminal.line(format!("{:>6}{request:>9}{answer:>8}{cumulative:>12}{status:>8}{took:>10}  {mark}", call.call));
    if let Some(failure) = call.failure.as_ref().filter(|_| marks == Marks::Success) {
        terminal.line(wrap("        ", failure));
    }
}

fn mark(call: &SequenceCall, marks: Marks) -> (&'static str, Paint) {
    match marks {
        Marks::Success if call.ok => ("ok", Paint::Green),
        Marks::Success => ("FAILED", Paint::Red),
        Marks::AsInSource if call.status.is_some() => ("✅", Paint::Plain),
        Marks::AsInSource => ("❌", Paint::Plain),
    }
}

/// Prints what the calls came to.
pub fn sequence_summary(terminal: &Terminal, sequence: &SequenceStats) {
    terminal.line("");
    sequence_sentences(sequence).iter().for_each(|sentence| terminal.line(format!("  {sentence}")));
    terminal.line("");
}

/// What the calls came to.
pub(super) fn sequence_sentences(sequence: &SequenceStats) -> [String; 2] {
    let (ok, calls) = (sequence.ok(), sequence.calls.len());
    let took: f64 = sequence.calls.iter().map(|call| call.duration_ms).sum();
    let (tokens, took) = (count(sequence.tokens()), millis(took));
    let first = sequence.first_failure.map_or_else(
        || "No call failed.".to_owned(),
        |first| format!("First failure: call {}, at {} tokens.", first.call, count(first.cumulative_tokens)),
    );
    [format!("{ok} of {calls} calls were answered in {took}; they ask for {tokens} tokens in all."), first]
}
