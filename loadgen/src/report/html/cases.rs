//! Single requests: the tables of cases, the matrices of steps, and the calls of a sequence.

use super::table::{arm, figure, heads, table};
use super::writer::Html;
use crate::numbers::{count, millis};
use crate::report::matrix;
use crate::result::{Cell, NamedArm, RunResult, SequenceStats, StepResult, TableRow};

/// The columns of a case: the name of the cells and its heading.
const COLUMNS: [(&str, &str); 4] =
    [("status", "status"), ("attempts", "calls"), ("outcome", "outcome"), ("retry_after", "Retry-After")];

/// Writes what single requests were answered.
pub(super) fn cases(html: &mut Html, result: &RunResult) {
    let servers = result.servers();
    for phase in result.phases() {
        let with_table = |(name, arm): &NamedArm<'_>| {
            arm.phase(&phase.name).is_some_and(|phase| !phase.table.is_empty()) && !name.is_empty()
        };
        let tables: Vec<_> = servers.iter().filter(|server| with_table(server)).copied().collect();
        if !tables.is_empty() {
            case_table(html, &format!("Cases, {}", phase.title()), &phase.name, &tables);
        }
        let steps = matrix::steps(result, &phase.name);
        if !steps.is_empty() {
            step_matrix(html, &format!("One call after another, {}", phase.title()), &servers, &steps);
        }
    }
    for (_, arm) in &servers {
        arm.sequence.iter().for_each(|sequence| calls(html, sequence));
    }
}

/// A group for each case: what was expected, and what each arm did.
fn case_table(html: &mut Html, caption: &str, phase: &str, servers: &[NamedArm]) {
    let rows = |(_, arm): &NamedArm<'_>| arm.phase(phase).map(|phase| phase.table.clone()).unwrap_or_default();
    let tables: Vec<Vec<TableRow>> = servers.iter().map(rows).collect();
    table(html, caption, |html| {
        heads(html, &["arm", COLUMNS[0].1, COLUMNS[1].1, COLUMNS[2].1, COLUMNS[3].1, "right?"]);
        for index in 0..tables.iter().map(Vec::len).max().unwrap_or(0) {
            html.element("tbody", &[], |html| {
                let rows: Vec<_> = servers
                    .iter()
                    .zip(&tables)
                    .filter_map(|(server, table)| Some((server, table.get(index)?)))
                    .collect();
                if let Some((_, first)) = rows.first() {
                    expected(html, first);
                }
                rows.into_iter().for_each(|(server, row)| measured(html, *server, row));
            });
        }
    });
}

fn expected(html: &mut Html, row: &TableRow) {
    html.element("tr", &[], |html| {
        html.leaf("th", &[("class", "group"), ("scope", "rowgroup")], &format!("{}: expected", row.case));
        for (name, _) in COLUMNS {
            figure(html, row.cells.iter().find(|cell| cell.name == name).map(|cell| cell.expected.as_str()));
        }
        html.leaf("td", &[], "");
    });
}

fn measured(html: &mut Html, server: NamedArm, row: &TableRow) {
    html.element("tr", &[], |html| {
        html.element("th", &[("scope", "row")], |html| arm(html, server));
        for (name, _) in COLUMNS {
            cell(html, row.cells.iter().find(|cell| cell.name == name));
        }
        let (class, word) = match row.wrong_cells() {
            Some(0) => ("good", "✔ yes"),
            Some(_) => ("bad", "✘ NO"),
            None => ("doubt", "? not measured"),
        };
        html.leaf("td", &[("class", &format!("number {class}"))], word);
    });
}

fn cell(html: &mut Html, cell: Option<&Cell>) {
    match cell.map(|cell| (cell.measured.as_deref(), cell.wrong)) {
        Some((Some(measured), true)) => html.leaf("td", &[("class", "number wrong")], &format!("{measured} ✘")),
        Some((Some(measured), false)) => figure(html, Some(measured)),
        Some((None, _)) => figure(html, Some("?")),
        None => figure(html, None),
    }
}

/// A row for each arm, a column for each step.
fn step_matrix(html: &mut Html, caption: &str, servers: &[NamedArm], rows: &[(&str, &[StepResult])]) {
    let Some((_, first)) = rows.first() else { return };
    table(html, caption, |html| {
        let names: Vec<_> = first.iter().map(|step| step.name.as_str()).collect();
        heads(html, &[&["arm"], &names[..], &["first failure"]].concat());
        html.element("tbody", &[], |html| {
            for (name, steps) in rows {
                html.element("tr", &[], |html| {
                    html.element("th", &[("scope", "row")], |html| {
                        servers.iter().filter(|(known, _)| known == name).for_each(|server| arm(html, *server));
                    });
                    steps.iter().for_each(|step| step_cell(html, step));
                    let failed = steps.iter().find(|step| step.failure.is_some());
                    figure(html, Some(failed.map_or("none", |step| &step.name)));
                });
            }
        });
    });
}

fn step_cell(html: &mut Html, step: &StepResult) {
    let (class, text) = match (&step.failure, step.status) {
        (None, _) => ("number right", "ok".to_owned()),
        (Some(_), Some(status)) => ("number wrong", format!("{status} ✘")),
        (Some(_), None) => ("number wrong", "none ✘".to_owned()),
    };
    let why = step.failure.clone().unwrap_or_default();
    html.leaf("td", &[("class", class), ("title", &why)], &text);
}

fn calls(html: &mut Html, sequence: &SequenceStats) {
    table(html, "The calls in order, each sent when the one before it had ended", |html| {
        heads(html, &["call", "prompt tokens", "answer tokens", "tokens so far", "status", "time", "answered?"]);
        html.element("tbody", &[], |html| {
            for call in &sequence.calls {
                html.element("tr", &[], |html| {
                    html.leaf("th", &[("scope", "row")], &call.call.to_string());
                    for tokens in [call.request_tokens, call.answer_tokens, call.cumulative_tokens] {
                        figure(html, Some(&count(tokens)));
                    }
                    figure(html, call.status.map(|status| status.to_string()).as_deref());
                    figure(html, Some(&millis(call.duration_ms)));
                    let (class, word) = if call.ok { ("good", "✔ yes") } else { ("bad", "✘ NO") };
                    html.leaf("td", &[("class", &format!("number {class}"))], word);
                });
            }
        });
    });
    let failures: Vec<_> = sequence.calls.iter().filter_map(|call| Some((call.call, call.failure.as_ref()?))).collect();
    if !failures.is_empty() {
        html.part("Why calls failed", |html| {
            html.element("dl", &[("class", "facts")], |html| {
                for (number, failure) in failures {
                    html.leaf("dt", &[], &format!("call {number}"));
                    html.element("dd", &[], |html| html.leaf("code", &[], failure));
                }
            });
        });
    }
}
