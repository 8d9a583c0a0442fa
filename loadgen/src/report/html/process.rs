//! What the servers' processes used, how they were restarted and ended, and what they showed of themselves.

use super::table::{Row, by_arm, row};
use super::writer::Html;
use crate::comparison::chunks;
use crate::lab::LOADED;
use crate::numbers::{bytes, count, millis, number};
use crate::report::table::deployment;
use crate::result::{ArmResult, NamedArm, ProcessStats, RestartStats, RunResult, ServerStop};

/// Writes the figures of the processes.
pub(super) fn process(html: &mut Html, result: &RunResult) {
    let servers = result.servers();
    by_arm(html, "What the server's processes used", &servers, &usage(&servers));
    let arms: Vec<_> = servers.iter().map(|(_, arm)| *arm).collect();
    let rows: Vec<Row> =
        result.phases().into_iter().flat_map(|phase| deployment::rows(&arms, &phase.name, phase.title())).collect();
    by_arm(html, "Restarts, and replicas behind the load balancer", &servers, &rows);
    by_arm(html, "How the server ended after the signal", &servers, &stops(&servers));
    by_arm(
        html,
        "What the server showed of itself (/metrics), increase in the phase",
        &servers,
        &metrics(&servers, result),
    );
    restarts(html, &servers);
}

fn usage(servers: &[NamedArm]) -> Vec<Row> {
    let used = |of: fn(&ProcessStats) -> Option<String>| move |arm: &ArmResult| of(arm.process.as_ref()?);
    let share = |cores: f64| format!("{} %", number(cores * 100.0));

    vec![
        row(servers, "CPU while loaded, of one processor", |arm| Some(share(arm.phase(LOADED)?.cpu_cores?))),
        row(servers, "CPU time of the whole run", used(|used| Some(format!("{} s", number(used.cpu_seconds))))),
        row(servers, "CPU time for each chunk", |arm| {
            let micros = arm.process?.cpu_seconds * 1e6;
            (chunks(arm) > 0).then(|| format!("{} µs", number(micros / chunks(arm) as f64)))
        }),
        row(servers, "memory, peak", used(|used| Some(bytes(used.rss_peak_bytes)))),
        row(servers, "threads, peak", used(|used| used.threads_peak.map(count))),
        row(servers, "descriptors, peak", used(|used| used.fds_peak.map(count))),
    ]
}

fn stops(servers: &[NamedArm]) -> Vec<Row> {
    let of = |what: fn(&ServerStop) -> Option<String>| move |arm: &ArmResult| what(arm.stop.as_ref()?);
    vec![
        row(servers, "signal", of(|stop| Some(stop.signal.clone()))),
        row(
            servers,
            "alive after it",
            of(|stop| {
                let alive = millis(stop.alive_ms);
                Some(if stop.ended { alive } else { format!("over {alive}") })
            }),
        ),
        row(servers, "exit code", of(|stop| stop.exit_code.map(|code| code.to_string()))),
    ]
}

fn metrics(servers: &[NamedArm], result: &RunResult) -> Vec<Row> {
    let mut rows = Vec::new();
    for phase in result.phases() {
        let of_phase = servers.iter().filter_map(|(_, arm)| arm.phase(&phase.name));
        let mut names: Vec<_> = of_phase.flat_map(|phase| phase.metrics.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let increase = |arm: &ArmResult| Some(number(arm.phase(&phase.name)?.metrics.get(name)?.increase));
            rows.push(row(servers, &format!("{name}, {}", phase.title()), increase));
        }
    }
    rows
}

/// Why the supervisor restarted a server, each time.
fn restarts(html: &mut Html, servers: &[NamedArm]) {
    let all = servers.iter().flat_map(|(name, arm)| {
        let restarts = arm.deployment.iter().flat_map(|deployment| &deployment.restarts);
        restarts.map(move |restart| (*name, restart))
    });
    let all: Vec<(&str, &RestartStats)> = all.collect();
    if all.is_empty() {
        return;
    }
    html.part("Each restart", |html| {
        html.element("dl", &[("class", "facts")], |html| {
            for (name, restart) in all {
                html.leaf("dt", &[], &format!("{name}, after {}", millis(restart.at_ms)));
                html.leaf("dd", &[], &format!("{}: {}", restart.cause, restart.detail));
            }
        });
    });
}
