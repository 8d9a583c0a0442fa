//! Runs side by side in the terminal.

use super::letter::letter;
use super::{Paint, Terminal, diagnosis, wrap};
use crate::comparison::{ComparedArm, ComparedFigure, Comparison, RegressionVerdict};
use crate::result::Outcome;

/// Width of a figure's name.
const NAME: usize = 28;
/// Width of a value, and of a ratio.
const VALUE: usize = 11;
const RATIO: usize = 7;
/// Runs beside the reference in one table: all in all a line has 80 columns.
const BESIDE: usize = 2;

/// Prints the runs, what differs in their parameters, and their figures with ratios to the first.
pub fn compared(terminal: &Terminal, comparison: &Comparison, percent: Option<f64>) {
    let count = comparison.runs.len();
    terminal.line(terminal.paint(Paint::Bold, &format!("{count} runs side by side; A is the reference")));
    for (index, run) in comparison.runs.iter().enumerate() {
        let outcome = run.result.verdict.result;
        let paint = match outcome {
            Outcome::Held => Paint::Green,
            Outcome::NotHeld => Paint::Red,
            Outcome::Invalid => Paint::Yellow,
        };
        let word = terminal.paint(paint, &format!("{:<8}", outcome.as_str()));
        terminal.line(format!("  {}  {word}  {}", letter(index), run.name));
    }
    for difference in &comparison.differences {
        let values = difference.values.iter().enumerate();
        let show = |(index, value): (usize, &Option<serde_json::Value>)| {
            format!("{} {}", letter(index), value.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string))
        };
        let values: Vec<_> = values.map(show).collect();
        terminal.line(wrap(&format!("  differs: {} ", difference.name), &values.join(", ")));
    }
    diagnosis::compared(terminal, comparison);
    let others: Vec<_> = (1..count).collect();
    for shown in others.chunks(BESIDE) {
        for arm in &comparison.arms {
            terminal.line("");
            terminal.line(terminal.paint(Paint::Bold, &heading(arm, shown)));
            arm.figures.iter().for_each(|figure| terminal.line(line(terminal, arm, figure, shown, percent)));
        }
    }
}

/// Prints whether there is a regression.
pub fn regressions(terminal: &Terminal, percent: f64, verdict: &RegressionVerdict) {
    terminal.line("");
    match verdict {
        RegressionVerdict::None => {
            let text =
                format!("No regression: nothing is worse than in A by more than {percent} % and by more than noise.");
            terminal.line(wrap("  ", &text));
        }
        RegressionVerdict::Invalid => {
            let word = terminal.paint(Paint::Yellow, "INVALID");
            terminal.line(format!("  {word}: one of the runs proves nothing, so they cannot be compared"));
        }
        RegressionVerdict::NothingToCompare => terminal.line("  Nothing to compare"),
        RegressionVerdict::Found(found) => {
            let word = terminal.paint(Paint::Red, "REGRESSION");
            terminal.line(format!("  {word}: worse than in A by more than {percent} %"));
            found.iter().for_each(|worse| terminal.line(wrap(&format!("    {}  ", letter(worse.run)), &worse.what)));
        }
    }
}

fn heading(arm: &ComparedArm, shown: &[usize]) -> String {
    let judged = if arm.is_judged { "" } else { " (not judged)" };
    let name = format!("{}{judged}", arm.name);
    let mut line = format!("  {name:<NAME$}{:>VALUE$}", "A");
    for index in shown {
        let letter = letter(*index);
        line += &format!("{letter:>VALUE$}{:>RATIO$}", format!("{letter}/A"));
    }
    line
}

fn line(
    terminal: &Terminal,
    arm: &ComparedArm,
    figure: &ComparedFigure,
    shown: &[usize],
    percent: Option<f64>,
) -> String {
    let value = |run: usize| figure.value(run).map_or_else(|| "-".to_owned(), |value| figure.figure.unit.show(value));
    let mut line = format!("  {:<NAME$}{:>VALUE$}", figure.figure.name, value(0));
    for run in shown {
        let is_worse = arm.is_judged && percent.is_some_and(|percent| figure.is_worse(*run, percent));
        let mark = if is_worse { "!" } else { " " };
        let ratio = figure.ratio(*run).map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        let cells = format!("{:>VALUE$}{ratio:>RATIO$}{mark}", value(*run));
        line += &terminal.paint(if is_worse { Paint::Red } else { Paint::Plain }, &cells);
    }
    line.trim_end().to_owned()
}
