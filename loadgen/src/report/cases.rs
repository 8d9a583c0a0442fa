//! The tables of cases: what was expected of each request, and what the arms made of it.

use super::{Paint, Terminal};
use crate::result::{Cell, NamedArm, RunResult, TableRow};

/// A column: the name of its cells, its heading, its width, and whether it is aligned to the right.
type Column = (&'static str, &'static str, usize, bool);

/// The columns between the case and the arms. All in all a line has 80 columns.
const COLUMNS: [Column; 4] = [
    ("status", "status", 6, true),
    ("attempts", "calls", 5, true),
    ("outcome", "outcome", 18, false),
    ("retry_after", "retry", 5, false),
];

/// Width of a case's name.
const CASE: usize = 27;
/// Width of the names of the arms that did what was expected.
const ARMS: usize = 13;

/// Prints the tables of the phases that have one: a case with what was expected of it and the arms that did so, and
/// below it what each other arm did, with its wrong cells marked.
pub fn case_tables(terminal: &Terminal, result: &RunResult) {
    for phase in result.phases() {
        let tables = tables_of(result, &phase.name);
        let cases = tables.iter().map(|(_, table)| table.len()).max().unwrap_or(0);
        if cases == 0 {
            continue;
        }
        terminal.line("");
        terminal.line(terminal.paint(Paint::Bold, &heading(phase.title())));
        for index in 0..cases {
            let rows: Vec<_> = tables.iter().filter_map(|(arm, table)| Some((*arm, table.get(index)?))).collect();
            lines(terminal, &rows).iter().for_each(|line| terminal.line(line));
        }
    }
}

fn tables_of<'a>(result: &'a RunResult, phase: &str) -> Vec<(&'a str, &'a [TableRow])> {
    let table = |(arm, seen): NamedArm<'a>| Some((arm, &seen.phase(phase)?.table[..]));
    result.servers().into_iter().filter_map(table).collect()
}

fn heading(title: &str) -> String {
    let columns = COLUMNS.map(|(_, heading, width, right)| aligned(heading, width, right)).join(" ");
    format!(" {title:<CASE$} {columns} arms")
}

/// The lines of one case, given the row of each arm.
fn lines(terminal: &Terminal, rows: &[(&str, &TableRow)]) -> Vec<String> {
    let Some((_, first)) = rows.first() else { return Vec::new() };
    let (right, others): (Vec<_>, Vec<_>) = rows.iter().partition(|(_, row)| row.wrong_cells() == Some(0));
    let right: Vec<_> = right.iter().map(|(arm, _)| *arm).collect();
    let arms = match right.join(" ") {
        _ if others.is_empty() => "all".to_owned(),
        // The others are below, each on a line.
        long if long.len() > ARMS => "the others".to_owned(),
        arms => arms,
    };
    let expected = |cell: &Cell| (cell.expected.clone(), Paint::Plain);
    let mut lines = vec![line(terminal, &first.case, first, expected, &arms)];
    for (arm, row) in others {
        lines.push(line(terminal, "", row, measured, arm));
    }
    lines
}

/// What was measured, and how it is shown: what is wrong has a mark, in red where there is colour.
fn measured(cell: &Cell) -> (String, Paint) {
    match &cell.measured {
        None => ("?".to_owned(), Paint::Yellow),
        Some(value) if cell.wrong => (format!("{value}!"), Paint::Red),
        Some(value) => (value.clone(), Paint::Plain),
    }
}

fn line(terminal: &Terminal, case: &str, row: &TableRow, of: impl Fn(&Cell) -> (String, Paint), arms: &str) -> String {
    let cells = COLUMNS.map(|(name, _, width, right)| {
        let found = row.cells.iter().find(|cell| cell.name == name);
        let (value, paint) = found.map_or_else(|| (String::new(), Paint::Plain), &of);
        // Padded before it is painted: the codes of a colour have no width.
        terminal.paint(paint, &aligned(&value, width, right))
    });
    format!(" {case:<CASE$} {} {arms}", cells.join(" ")).trim_end().to_owned()
}

fn aligned(text: &str, width: usize, right: bool) -> String {
    if right { format!("{text:>width$}") } else { format!("{text:<width$}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(case: &str, [expected, measured]: [[&str; 4]; 2]) -> TableRow {
        let cell = |index: usize| {
            let (name, ..) = COLUMNS[index];
            let value = (measured[index] != "?").then(|| measured[index].to_owned());
            Cell::new(name, expected[index].to_owned(), value, |measured| measured == expected[index])
        };
        TableRow { case: case.to_owned(), cells: (0..4).map(cell).collect() }
    }

    const EXPECTED: [&str; 4] = ["429", "1", "upstream_rejected", "900"];

    #[test]
    fn a_wrong_cell_is_marked_and_the_others_are_not() {
        let case = "status=429;retry-after=900";
        let wrong = row(case, [EXPECTED, ["200", "1", "success", "none"]]);
        let right = row(case, [EXPECTED, EXPECTED]);
        let lines = lines(&Terminal::plain(), &[("broken", &wrong), ("control", &right), ("fixed", &right)]);
        assert_eq!(
            lines,
            [
                " status=429;retry-after=900     429     1 upstream_rejected  900   control fixed",
                "                               200!     1 success!           none! broken",
            ]
        );
        assert!(lines.iter().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn many_arms_fit_on_the_line_too() {
        let (wrong, right) = (row("hang", [EXPECTED, ["200"; 4]]), row("hang", [EXPECTED, EXPECTED]));
        let rows = [("broken-1", &wrong), ("broken-2", &right), ("control", &right), ("fixed", &right)];
        let lines = lines(&Terminal::plain(), &rows);
        assert!(lines[0].ends_with(" the others") && lines[1].ends_with(" broken-1"), "{lines:?}");
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:?}");
    }

    #[test]
    fn a_case_that_all_arms_answer_as_expected_has_one_line() {
        let right = row("hang", [EXPECTED, EXPECTED]);
        let lines = lines(&Terminal::plain(), &[("broken", &right), ("fixed", &right)]);
        assert_eq!(lines, [" hang                           429     1 upstream_rejected  900   all"]);
    }

    #[test]
    fn what_could_not_be_measured_is_not_shown_as_right() {
        let unknown = row("hang", [EXPECTED, ["429", "?", "upstream_rejected", "900"]]);
        let lines = lines(&Terminal::plain(), &[("fixed", &unknown)]);
        assert_eq!(lines[1], "                                429     ? upstream_rejected  900   fixed");
    }
}
