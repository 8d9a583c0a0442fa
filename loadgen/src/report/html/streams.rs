//! What became of streams and calls.

use super::table::{Row, by_arm, row};
use super::writer::Html;
use crate::numbers::{count, millis, number};
use crate::report::table::disconnects;
use crate::report::table::requests::{Kind, ends};
use crate::result::{ArmResult, NamedArm, Quantiles, RunResult, StreamStats, TargetResult};

/// Writes how the streams and calls ended, and what servers answered.
pub(super) fn streams(html: &mut Html, result: &RunResult) {
    let servers = result.servers();
    let arms: Vec<_> = servers.iter().map(|(_, arm)| *arm).collect();
    for (kind, caption) in
        [(Kind::Streams, "Streams, of all phases"), (Kind::Calls, "Calls with a whole answer, of all phases")]
    {
        if kind.is_in(&arms) {
            let mut rows = ends(&arms, kind, true, disconnects(result));
            rows.extend(flow(&servers, kind));
            by_arm(html, caption, &servers, &rows);
        }
    }
    answers(html, &servers);
    each_server(html, result);
}

/// Each of several servers that the requests of `run` went to in turn.
fn each_server(html: &mut Html, result: &RunResult) {
    let Some(target) = result.target.as_ref().filter(|target| !target.targets.is_empty()) else { return };
    // As those of all servers together.
    let are_calls = target.calls.is_some();
    let arm = |target: &TargetResult| {
        let (program, probes) = (target.url.clone(), target.probes.clone());
        let mut arm = ArmResult { program, probes, ..ArmResult::default() };
        match are_calls {
            true => arm.calls = Some(target.streams.clone()),
            false => arm.streams = target.streams.clone(),
        }
        arm
    };
    let arms: Vec<_> = target.targets.iter().map(arm).collect();
    let servers: Vec<NamedArm> = arms.iter().map(|arm| (arm.program.as_str(), arm)).collect();
    let mut rows = vec![
        row(&servers, "requested", |arm| Some(count(requests(arm).requested))),
        row(&servers, "completed", |arm| Some(count(requests(arm).completed))),
        row(&servers, "failed, truncated or stalled", |arm| Some(count(requests(arm).lost()))),
        row(&servers, "first token, 99 %", |arm| p99(arm.streams.time_to_first_token_ms)),
        row(&servers, "answered call, 99 %", |arm| p99(arm.calls.as_ref()?.latency_ms)),
    ];
    for probe in target.targets.first().into_iter().flat_map(|target| target.probes.keys()) {
        rows.push(row(&servers, &format!("{}, 99 %", probe.replace('_', "-")), |arm| {
            let stats = arm.probes.get(probe).filter(|stats| stats.timed() > 0)?;
            Some(millis(stats.latency_ms.p99))
        }));
    }
    by_arm(html, "Each server", &servers, &rows);
}

/// The requests of an arm that has one kind of them.
fn requests(arm: &ArmResult) -> &StreamStats {
    arm.calls.as_ref().unwrap_or(&arm.streams)
}

/// The p99, if any was measured.
fn p99(times: Quantiles) -> Option<String> {
    (times.max > 0.0).then(|| millis(times.p99))
}

/// How many at once, and how fast.
fn flow(servers: &[NamedArm], kind: Kind) -> Vec<Row> {
    let of = |arm: &ArmResult| match kind {
        Kind::Streams => Some(arm.streams.clone()),
        Kind::Calls => arm.calls.clone(),
    };
    let stats = |arm: &ArmResult| of(arm).filter(|stats| stats.requested > 0);
    let mut rows = vec![
        row(servers, "open at once, at most", |arm| Some(count(stats(arm)?.peak_active))),
        row(servers, "completed per second", |arm| Some(number(stats(arm)?.completed_per_second))),
    ];
    let goodput = |arm: &ArmResult| stats(arm)?.goodput;
    if servers.iter().any(|(_, arm)| goodput(arm).is_some()) {
        rows.push(row(servers, "met all objectives for each request", |arm| {
            let goodput = goodput(arm)?;
            Some(format!("{} of {} ({:.1} %)", count(goodput.met), count(goodput.of), goodput.percent()?))
        }));
        rows.push(row(servers, "met them, per second", |arm| Some(number(goodput(arm)?.per_second))));
    }
    if servers.iter().any(|(_, arm)| stats(arm).is_some_and(|stats| stats.dropped > 0)) {
        rows.push(row(servers, "due and dropped, over the limit of open ones", |arm| Some(count(stats(arm)?.dropped))));
    }
    if kind == Kind::Streams {
        rows.push(row(servers, "chunks per second", |arm| Some(number(stats(arm)?.chunks_per_second))));
        rows.push(row(servers, "waited over a second for the first token", |arm| {
            Some(count(stats(arm)?.first_token_late))
        }));
    }
    rows
}

/// Answers by status, by what the servers said of them, and one example for each cause of failure.
fn answers(html: &mut Html, servers: &[NamedArm]) {
    let all = |arm: &ArmResult| -> Vec<StreamStats> {
        let of_phases = arm.phases.iter().flat_map(|phase| phase.loads.values());
        let of_phases: Vec<_> = of_phases.cloned().collect();
        let whole = || arm.calls.clone().unwrap_or_else(|| arm.streams.clone());
        if of_phases.is_empty() { vec![whole()] } else { of_phases }
    };
    let by_arm_stats: Vec<_> = servers.iter().map(|(_, arm)| all(arm)).collect();
    let mut rows: Vec<Row> = Vec::new();
    let mut add = |prefix: &str, of: fn(&StreamStats) -> &std::collections::BTreeMap<String, u64>| {
        let mut names: Vec<_> = by_arm_stats.iter().flatten().flat_map(|stats| of(stats).keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let total = |stats: &Vec<StreamStats>| stats.iter().filter_map(|stats| of(stats).get(name)).sum::<u64>();
            rows.push((
                format!("{prefix}{name}"),
                by_arm_stats.iter().map(|stats| Some(count(total(stats)))).collect(),
            ));
        }
    };
    add("status ", |stats| &stats.by_status);
    add("format of the tokens: ", |stats| &stats.formats);
    add("X-Stream-Method: ", |stats| &stats.by_method);
    add("error of type ", |stats| &stats.errors_by_type);
    add("error with code ", |stats| &stats.errors_by_code);
    by_arm(html, "Answers", servers, &rows);
    let examples = by_arm_stats.iter().zip(servers).flat_map(|(stats, (name, arm))| {
        let found = stats.iter().flat_map(|stats| &stats.failure_answers);
        found.map(|(cause, answer)| (super::table::title(name, arm).to_owned(), cause.clone(), answer.clone()))
    });
    let mut examples: Vec<_> = examples.filter(|(.., answer)| !answer.is_empty()).collect();
    examples.sort();
    examples.dedup_by(|one, other| (&one.0, &one.1) == (&other.0, &other.1));
    if !examples.is_empty() {
        html.part("One answer for each cause of failure", |html| {
            html.element("dl", &[("class", "facts")], |html| {
                for (server, cause, answer) in &examples {
                    html.leaf("dt", &[], &format!("{server}, {cause}"));
                    html.element("dd", &[], |html| html.leaf("code", &[], answer));
                }
            });
        });
    }
}
