//! How long answers took: the distribution from half of them to all, of each probe and each kind of request.

use super::charts::{distributions, waiting};
use super::table::{Row, arm, by_arm, figure, heads, table};
use super::writer::Html;
use crate::chart::probes;
use crate::numbers::{count, millis};
use crate::report::table::requests::answer_times;
use crate::result::{ArmResult, ClosedLoopStats, NamedArm, PhaseResult, ProbeStats, Quantiles, RunResult, TARGET};

/// The distribution of something, for one server.
struct Line<'a> {
    server: NamedArm<'a>,
    /// Counts before the distribution, one for each of [`COUNTS`]; none of requests.
    counts: Vec<u64>,
    /// Absent if nothing was answered.
    times: Option<Quantiles>,
}

/// Lines under a heading.
struct Group<'a> {
    title: String,
    lines: Vec<Line<'a>>,
}

/// Heads of the counts. Those that are 0 everywhere have no column.
const COUNTS: [&str; 3] = ["checks", "timed out", "failed"];
/// Heads of the distribution.
const SHARES: [&str; 4] = ["50 %", "90 %", "99 %", "100 %"];

/// Writes the latencies of the health checks.
pub(super) fn health(html: &mut Html, result: &RunResult) {
    distributions(html, result);
    let (servers, phases) = (result.servers(), result.phases());
    let probes = probes(result);
    let groups = |probe: &str| phases.iter().filter_map(|phase| probes_of(&servers, phase, probe)).collect::<Vec<_>>();
    let groups: Vec<_> = probes.iter().map(|probe| (*probe, groups(probe))).filter(|(_, of)| !of.is_empty()).collect();
    if !groups.is_empty() {
        html.element("div", &[("class", "pictures")], |html| {
            for (probe, groups) in &groups {
                let caption = format!("Latency of {}, from when each check was due", probe.replace('_', "-"));
                distribution(html, &caption, groups);
            }
        });
        html.leaf("p", &[("class", "note")], &own_delay(&servers));
    }
    by_arm(html, "What the health route said", &servers, &said(&servers, &phases));
    by_arm(html, "Checks sent one after another, as a simple script does", &servers, &one_by_one(&servers, result));
}

fn probes_of<'a>(servers: &[NamedArm<'a>], phase: &PhaseResult, probe: &str) -> Option<Group<'a>> {
    let line = |server: &NamedArm<'a>| {
        let stats = server.1.phase(&phase.name)?.probes.get(probe).filter(|stats| stats.sent + stats.not_sent > 0)?;
        let counts = vec![stats.sent, stats.timed_out, stats.failed];
        Some(Line { server: *server, counts, times: (stats.timed() > 0).then_some(stats.latency_ms) })
    };
    let lines: Vec<_> = servers.iter().filter_map(line).collect();
    (!lines.is_empty()).then(|| Group { title: phase.title().to_owned(), lines })
}

/// By how much the generator's own delay changes the latencies.
fn own_delay(servers: &[NamedArm]) -> String {
    let probes = servers.iter().flat_map(|(_, arm)| arm.phases.iter().flat_map(|phase| phase.probes.values()));
    let delay = |stats: &ProbeStats| stats.latency_ms.p99 - stats.latency_from_sent_ms.p99;
    let most = probes.map(delay).fold(0.0, f64::max);
    format!(
        "A check that timed out counts as its time limit; one that failed has no latency and is only counted. Timed \
         from when they were really sent, no 99 % in this table would be lower by more than {}.",
        millis(most)
    )
}

fn said(servers: &[NamedArm], phases: &[&PhaseResult]) -> Vec<Row> {
    let mut rows = Vec::new();
    for phase in phases {
        for probe in phase.probes.keys() {
            let stats = |arm: &ArmResult| arm.phase(&phase.name)?.probes.get(probe).cloned();
            let mut words: Vec<_> = servers
                .iter()
                .filter_map(|(_, arm)| stats(arm))
                .flat_map(|stats| stats.field_values.into_keys())
                .collect();
            words.sort();
            words.dedup();
            for word in words {
                let cell = |arm: &ArmResult| {
                    let stats = stats(arm)?;
                    Some(format!("{} of {}", count(*stats.field_values.get(&word).unwrap_or(&0)), count(stats.sent)))
                };
                let label = format!("{}, {}: {word}", probe.replace('_', "-"), phase.title());
                rows.push(super::table::row(servers, &label, cell));
            }
        }
    }
    rows
}

fn one_by_one(servers: &[NamedArm], result: &RunResult) -> Vec<Row> {
    let mut rows = Vec::new();
    for phase in result.phases() {
        let mut add = |what: &str, of: fn(&ClosedLoopStats) -> String| {
            let cell = |arm: &ArmResult| Some(of(arm.phase(&phase.name)?.closed_loop.as_ref()?));
            rows.push(super::table::row(servers, &format!("{what}, {}", phase.title()), cell));
        };
        add("mean", |stats| millis(stats.mean_ms));
        add("99 %", |stats| millis(stats.latency_ms.p99));
        add("100 %", |stats| millis(stats.latency_ms.max));
        add("failed", |stats| format!("{} of {}", count(stats.failed), count(stats.sent)));
    }
    rows
}

/// Writes how long users waited: for the first token, between tokens, for a whole answer, for a rejection.
pub(super) fn requests(html: &mut Html, result: &RunResult) {
    waiting(html, result);
    let servers = result.servers();
    let arms: Vec<_> = servers.iter().map(|(_, arm)| *arm).collect();
    let streamed = |of: fn(&ArmResult) -> Quantiles| {
        arms.iter().map(|arm| (arm.streams.chunks > 0).then(|| of(arm))).collect::<Vec<_>>()
    };
    let mut found: Vec<(String, Vec<Option<Quantiles>>)> = vec![
        ("first token, from when the stream was due".into(), streamed(|arm| arm.streams.time_to_first_token_ms)),
        ("first token, from when it was sent".into(), streamed(|arm| arm.streams.time_to_first_token_from_sent_ms)),
        ("between tokens".into(), streamed(|arm| arm.streams.inter_token_ms)),
    ];
    if result.command == "run" {
        found.extend(of_run(&arms));
    }
    for phase in result.phases() {
        for (label, times) in answer_times(&arms, &phase.name, phase.title()) {
            let title = if label.starts_with(' ') { format!("{}, {}", label.trim(), phase.title()) } else { label };
            found.push((title, times));
        }
    }
    let groups = found.into_iter().filter(|(_, times)| times.iter().any(Option::is_some));
    let groups: Vec<_> = groups.map(|(title, times)| Group { title, lines: lines(&servers, times) }).collect();
    distribution(html, "How long users waited", &groups);
}

/// More of the requests of `run`, which have no phases.
fn of_run(arms: &[&ArmResult]) -> Vec<(String, Vec<Option<Quantiles>>)> {
    let times = |of: fn(&ArmResult) -> Option<Quantiles>| {
        arms.iter().map(|arm| of(arm).filter(|times| times.max > 0.0)).collect::<Vec<_>>()
    };
    vec![
        ("mean between the tokens of a completed stream".into(), times(|arm| Some(arm.streams.time_per_token_ms))),
        ("completed stream, from when it was due".into(), times(|arm| Some(arm.streams.latency_ms))),
        ("completed stream, from when it was sent".into(), times(|arm| Some(arm.streams.latency_from_sent_ms))),
        ("answered call, from when it was due".into(), times(|arm| Some(arm.calls.as_ref()?.latency_ms))),
        ("answered call, from when it was sent".into(), times(|arm| Some(arm.calls.as_ref()?.latency_from_sent_ms))),
    ]
}

fn lines<'a>(servers: &[NamedArm<'a>], times: Vec<Option<Quantiles>>) -> Vec<Line<'a>> {
    let lines = servers.iter().zip(times);
    lines.map(|(server, times)| Line { server: *server, counts: Vec::new(), times }).collect()
}

/// Writes a table of groups, each with a line for each server. Where there is one server, its line is the group.
fn distribution(html: &mut Html, caption: &str, groups: &[Group]) {
    let lines = || groups.iter().flat_map(|group| &group.lines);
    let is_counted = |index: &usize| lines().any(|line| line.counts.get(*index).is_some_and(|count| *count > 0));
    let counts: Vec<usize> = (0..COUNTS.len()).filter(is_counted).collect();
    let alone = groups.iter().all(|group| matches!(&group.lines[..], [line] if line.server.0 == TARGET));
    let columns = (1 + counts.len() + SHARES.len()).to_string();
    if groups.is_empty() {
        return;
    }
    table(html, caption, |html| {
        let of_counts: Vec<_> = counts.iter().map(|index| COUNTS[*index]).collect();
        heads(html, &[&[if alone { "" } else { "arm" }], &of_counts[..], &SHARES].concat());
        for group in groups {
            html.element("tbody", &[], |html| {
                if !alone {
                    html.element("tr", &[], |html| {
                        let head = [("class", "group"), ("scope", "rowgroup"), ("colspan", columns.as_str())];
                        html.leaf("th", &head, &group.title);
                    });
                }
                for line in &group.lines {
                    html.element("tr", &[], |html| {
                        html.element("th", &[("scope", "row")], |html| {
                            if alone { html.text(&group.title) } else { arm(html, line.server) }
                        });
                        cells(html, line, &counts);
                    });
                }
            });
        }
    });
}

fn cells(html: &mut Html, line: &Line, counts: &[usize]) {
    counts.iter().for_each(|index| figure(html, line.counts.get(*index).map(|number| count(*number)).as_deref()));
    let times = line.times.map(|times| [times.p50, times.p90, times.p99, times.max].map(millis));
    (0..SHARES.len()).for_each(|index| figure(html, times.as_ref().map(|times| times[index].as_str())));
}
