//! A matrix: a row for each arm, a column for each step of a sequence.

use super::table::ARMS_MAX;
use super::{Paint, Terminal};
use crate::result::{NamedArm, RunResult, StepResult};

/// Width of an arm's name and of a step.
const NAME: usize = 23;
const STEP: usize = 4;

/// Prints a matrix for each phase with a sequence, with the arms in the order of the lab.
pub fn matrices(terminal: &Terminal, result: &RunResult) {
    // With many arms there is no other table before.
    let mut is_first = result.arms.len() > ARMS_MAX;
    for phase in result.phases() {
        let rows = steps(result, &phase.name);
        let Some((_, first)) = rows.first() else { continue };
        if !is_first {
            terminal.line("");
        }
        is_first = false;
        let heads: String = first.iter().map(|step| format!("{:>STEP$}", step.name)).collect();
        terminal.line(terminal.paint(Paint::Bold, &format!(" {:<NAME$}{heads}  first", phase.title())));
        for (arm, steps) in rows {
            terminal.line(row(terminal, arm, steps));
        }
    }
}

/// The arms that were sent a sequence in the phase of this name, each with its steps.
pub(super) fn steps<'a>(result: &'a RunResult, phase: &str) -> Vec<(&'a str, &'a [StepResult])> {
    let steps = |(name, arm): NamedArm<'a>| Some((name, arm.phase(phase)?.steps()));
    result.servers().into_iter().filter_map(steps).filter(|(_, steps)| !steps.is_empty()).collect()
}

fn row(terminal: &Terminal, arm: &str, steps: &[StepResult]) -> String {
    let cells: String = steps.iter().map(|step| cell(terminal, step)).collect();
    let first = steps.iter().find(|step| step.failure.is_some());
    let first = first.map_or("none", |step| &step.name);
    format!(" {arm:<NAME$}{cells}{first:>7}")
}

/// `ok`, or the status of a step that failed, or `x` if it has none.
fn cell(terminal: &Terminal, step: &StepResult) -> String {
    let (text, paint) = match (&step.failure, step.status) {
        (None, _) => ("ok".to_owned(), Paint::Green),
        (Some(_), Some(status)) => (status.to_string(), Paint::Red),
        (Some(_), None) => ("x".to_owned(), Paint::Red),
    };
    terminal.paint(paint, &format!("{text:>STEP$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_each_step_and_the_first_failure() {
        let step = |name: &str, status: Option<u16>, failure: Option<&str>| StepResult {
            name: name.to_owned(),
            status,
            failure: failure.map(str::to_owned),
            duration_ms: 1.0,
            tokens: None,
        };
        let (ok, failed) = (step("1", Some(200), None), step("2", Some(500), Some("status 500")));
        let cut = step("3", None, Some("closed before an answer"));
        let text = row(&Terminal::plain(), "broken-all", &[ok.clone(), failed, cut]);
        assert_eq!(text, format!(" {:<NAME$}  ok 500   x      2", "broken-all"));
        assert!(row(&Terminal::plain(), "broken-all", &[ok]).ends_with("  ok   none"));
    }
}
