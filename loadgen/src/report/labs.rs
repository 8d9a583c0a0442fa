//! What became of several labs.

use super::{Paint, Terminal, wrap};
use crate::result::{LabsResult, Outcome, RunResult};

/// Prints how many held, a line for each of the others, and the names of those that held: all labs fit on a screen.
pub fn labs_summary(terminal: &Terminal, labs: &LabsResult) {
    let all: Vec<_> = labs.in_order().into_iter().map(|(name, run)| (name, outcome(run), run)).collect();
    terminal
        .line(terminal.paint(Paint::Bold, &format!("All labs of this run: {}", counted(all.iter().map(|lab| lab.1)))));
    for (name, outcome, run) in all.iter().filter(|lab| lab.1 != Outcome::Held) {
        let paint = if *outcome == Outcome::NotHeld { Paint::Red } else { Paint::Yellow };
        let word = terminal.paint(paint, &format!("{:<8}", outcome.as_str()));
        let remark = run.map_or_else(str::to_owned, remark);
        terminal.line(format!("  {name:<25} {word}  {remark}").trim_end());
    }
    let held: Vec<_> = all.iter().filter(|lab| lab.1 == Outcome::Held).collect();
    if !held.is_empty() {
        let names: Vec<_> = held.iter().map(|lab| lab.0).collect();
        let claims: usize = held.iter().filter_map(|lab| lab.2.ok()).map(|run| run.verdict.claims.len()).sum();
        terminal.line(wrap("  held: ", &format!("{} ({claims} claims)", names.join(", "))));
    }
}

fn outcome(run: Result<&RunResult, &str>) -> Outcome {
    run.map_or(Outcome::Invalid, |result| result.verdict.result)
}

/// `37 held, 1 not held, 1 invalid`
fn counted(outcomes: impl Iterator<Item = Outcome> + Clone) -> String {
    let count = |wanted| outcomes.clone().filter(|outcome| *outcome == wanted).count();
    let counts = [Outcome::Held, Outcome::NotHeld, Outcome::Invalid].map(|outcome| (count(outcome), outcome));
    let named = counts.iter().filter(|(count, _)| *count > 0);
    named.map(|(count, outcome)| format!("{count} {}", outcome.as_str())).collect::<Vec<_>>().join(", ")
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
