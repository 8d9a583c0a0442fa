//! Diagnoses side by side in the terminal.

use super::words::row;
use crate::comparison::Comparison;
use crate::report::letter::letter;
use crate::report::{Paint, Terminal};
use crate::result::Diagnosis;

/// Width of a label, and of a run's column.
const LABEL: usize = 20;
const COLUMN: usize = 20;
/// Runs beside each other: a line has 80 columns.
const SIDE_BY_SIDE: usize = 3;

/// Prints what each run found, if they are diagnoses.
pub(in crate::report) fn compared(terminal: &Terminal, comparison: &Comparison) {
    let Some(diagnoses) = comparison.diagnoses() else { return };
    let numbered: Vec<_> = diagnoses.into_iter().enumerate().collect();
    for shown in numbered.chunks(SIDE_BY_SIDE) {
        terminal.line("");
        let letters = cells(shown, |(run, _)| letter(*run));
        terminal.line(terminal.paint(Paint::Bold, &format!("{:LABEL$}{letters}", "")));
        for name in ROWS {
            let line = cells(shown, |(_, diagnosis)| row(diagnosis, name));
            terminal.line(format!("  {name:<0$}{line}", LABEL - 2));
        }
    }
}

/// What is compared.
pub(in crate::report) const ROWS: [&str; 7] =
    ["kind", "form", "limit", "streams at collapse", "most streams held", "confidence", "recovered after"];

fn cells(shown: &[(usize, &Diagnosis)], cell: impl Fn(&(usize, &Diagnosis)) -> String) -> String {
    shown.iter().map(|run| format!("{:>COLUMN$}", cell(run))).collect()
}
