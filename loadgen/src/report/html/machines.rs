//! The machines of a merged result.

use super::about::command;
use super::table::{figure, heads, table};
use super::writer::Html;
use crate::numbers::{bytes, count, millis};
use crate::report::machines::{started, together};
use crate::result::{Machine, RunResult};

/// Writes the machines, whether their loads were on at the same time, and the command line of each.
pub(super) fn machines(html: &mut Html, result: &RunResult) {
    let machines = &result.machines;
    let Some(first) = machines.iter().map(|machine| machine.started_unix_ms).min() else { return };
    html.leaf(
        "p",
        &[],
        "The figures of this page are those of all requests together. The parameters are each machine's.",
    );
    if let Some(together) = together(machines) {
        html.leaf("p", &[], &together);
    }
    table(html, "The runs that were merged", |html| {
        let columns = ["", "started", "requests", "most open", "schedule lag, p99", "alone", "processors", "memory"];
        heads(html, &columns);
        html.element("tbody", &[], |html| machines.iter().for_each(|machine| row(html, machine, first)));
    });
    for machine in machines {
        if let Some(line) = &machine.command_line {
            html.part(&machine.name, |html| command(html, Some(line)));
        }
    }
}

fn row(html: &mut Html, machine: &Machine, first_unix_ms: u64) {
    html.element("tr", &[], |html| {
        html.leaf("th", &[("scope", "row")], &machine.name);
        let figures = [
            started(machine, first_unix_ms),
            count(machine.requested),
            count(machine.peak_active),
            millis(machine.schedule_lag_ms.p99),
            machine.result.as_str().to_owned(),
            machine.environment.cores.to_string(),
            bytes(machine.environment.memory_bytes),
        ];
        figures.iter().for_each(|text| figure(html, Some(text)));
    });
}
