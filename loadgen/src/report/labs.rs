//! Several labs: a line for each.

use super::{Paint, Terminal};
use crate::result::{LabsResult, Outcome, RunResult};

/// Prints a line for each lab.
pub fn labs_summary(terminal: &Terminal, labs: &LabsResult) {
    terminal.line(terminal.paint(Paint::Bold, "All labs"));
    for (name, run) in labs.in_order() {
        let outcome = run.map_or(Outcome::Invalid, |result| result.verdict.result);
        let paint = match outcome {
            Outcome::Held => Paint::Green,
            Outcome::NotHeld => Paint::Red,
            Outcome::Invalid => Paint::Yellow,
        };
        let word = terminal.paint(paint, &format!("{:<8}", outcome.as_str()));
        let remark = run.map_or_else(str::to_owned, remark);
        terminal.line(format!("  {name:<20} {word}  {remark}").trim_end());
    }
}

/// How many claims held, or why the run is invalid.
pub(super) fn remark(result: &RunResult) -> String {
    let claims = &result.verdict.claims;
    let held = claims.iter().filter(|claim| claim.held).count();
    match result.verdict.invalid_because.first() {
        Some(why) => why.clone(),
        None => format!("{held} of {} claims", claims.len()),
    }
}
