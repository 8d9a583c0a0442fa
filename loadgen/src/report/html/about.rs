//! How a run was made: its parameters, the machine, and the command that repeats it.

use serde_json::Value;

use super::table::{arm, figure, heads, table};
use super::writer::Html;
use crate::numbers::{bytes, millis};
use crate::report::make_command;
use crate::result::RunResult;

/// Writes how to repeat the run.
pub(super) fn repeat(html: &mut Html, result: &RunResult) {
    command(html, result.command_line.as_deref());
    if let Some(line) = make_command(result) {
        html.leaf("p", &[], "The same from the repository, which builds the programs first:");
        html.element("pre", &[], |html| html.leaf("code", &[], &line));
    }
    html.part("Programs", |html| {
        html.element("dl", &[("class", "facts")], |html| {
            for server in result.servers() {
                html.element("dt", &[], |html| arm(html, server));
                html.element("dd", &[], |html| html.leaf("code", &[], &server.1.program));
            }
        });
    });
}

/// Writes a command line, if it is known.
pub(super) fn command(html: &mut Html, line: Option<&str>) {
    if let Some(line) = line {
        html.leaf("p", &[], "The command that made this result:");
        html.element("pre", &[], |html| html.leaf("code", &[], line));
    }
}

/// Writes the machine and the load generator's own figures.
pub(super) fn environment(html: &mut Html, result: &RunResult) {
    let machine = &result.environment;
    let lag = &result.generator.schedule_lag_ms;
    let not_sent = result.generator.not_sent;
    let facts = [
        ("operating system", machine.os.clone()),
        ("processors", machine.cores.to_string()),
        ("memory", bytes(machine.memory_bytes)),
        ("schedule lag", format!("p50 {}, p99 {}, max {}", millis(lag.p50), millis(lag.p99), millis(lag.max))),
        ("could not be sent", if not_sent == 0 { "nothing".to_owned() } else { not_sent.to_string() }),
        ("format of the result", format!("version {}", result.schema_version)),
    ];
    html.element("dl", &[("class", "facts")], |html| {
        for (name, fact) in &facts {
            html.leaf("dt", &[], name);
            html.leaf("dd", &[], fact);
        }
    });
}

/// Writes the parameters of the command.
pub(super) fn parameters(html: &mut Html, result: &RunResult) {
    let (lists, plain): (Vec<_>, Vec<_>) = result.parameters.iter().partition(|(name, _)| *name == PHASES);
    let given: Vec<_> = plain.into_iter().filter(|(_, value)| !value.is_null()).collect();
    if !given.is_empty() {
        html.element("dl", &[("class", "facts")], |html| {
            for (name, value) in given {
                html.leaf("dt", &[], &name.replace('_', " "));
                html.element("dd", &[], |html| html.leaf("code", &[], &shown(value)));
            }
        });
    }
    lists.into_iter().filter_map(|(_, value)| value.as_array()).for_each(|phases| load(html, phases));
}

const PHASES: &str = "phases";

/// The phases and their loads.
fn load(html: &mut Html, phases: &[Value]) {
    if phases.is_empty() {
        return;
    }
    table(html, "Phases and their loads", |html| {
        heads(html, &["phase", "only for", "ramp", "measured for", "load"]);
        html.element("tbody", &[], |html| {
            for phase in phases {
                html.element("tr", &[], |html| {
                    html.leaf("th", &[("scope", "row")], &shown(&phase["name"]));
                    figure(html, phase["only"].as_str());
                    figure(html, phase["ramp_ms"].as_f64().map(millis).as_deref());
                    figure(html, phase["hold_ms"].as_f64().map(millis).as_deref());
                    let loads = phase["loads"].as_array().map(Vec::as_slice).unwrap_or_default();
                    let loads = if loads.is_empty() { "none".to_owned() } else { lines(loads) };
                    html.leaf("td", &[("class", "number")], &loads);
                });
            }
        });
    });
}

fn lines(loads: &[Value]) -> String {
    let line = |load: &Value| format!("{}, {}", shown(&load["schedule"]), shown(&load["path"]));
    loads.iter().map(line).collect::<Vec<_>>().join("; ")
}

/// A value as somebody would write it: words without quotes.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.iter().all(Value::is_string) => {
            values.iter().map(shown).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}
