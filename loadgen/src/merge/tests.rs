//! What merging must do, whatever it merges.

mod hostile;
mod judged;
mod laws;
mod refused;
mod timelines;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::merge;
use crate::comparison::NamedRun;
use crate::lab::{BASELINE, LOADED};
use crate::measure::Latencies;
use crate::result::{
    ArmResult, Environment, Generator, PhaseResult, ProbeStats, RequestGoodput, RunResult, StreamStats, TargetResult,
    TimelineRow, Verdict,
};
use crate::verdict;

/// When the first machine starts.
const STARTED: u64 = 1_700_000_000_123;

/// A run of one machine, in which all latencies are those in `micros`, one for each stream and each probe.
#[derive(Debug, Clone)]
struct Seen {
    started: u64,
    micros: Vec<u64>,
    /// Probes without a latency.
    failed: u64,
    rows: Vec<TimelineRow>,
}

impl Seen {
    fn of(micros: &[u64]) -> Self {
        Seen { started: STARTED, micros: micros.to_vec(), failed: 0, rows: Vec::new() }
    }

    fn latencies(&self) -> Latencies {
        self.micros.iter().copied().map(Duration::from_micros).collect()
    }

    fn streams(&self) -> StreamStats {
        let (all, count) = (self.latencies(), self.micros.len() as u64);
        StreamStats {
            requested: count,
            completed: count,
            peak_active: count,
            chunks: count,
            latency_ms: all.quantiles(),
            time_to_first_token_ms: all.quantiles(),
            inter_token_ms: all.quantiles(),
            failures: BTreeMap::from([("status 500".to_owned(), self.failed)]),
            goodput: Some(RequestGoodput {
                met: count,
                of: count + self.failed,
                per_second: 0.0,
                missed: BTreeMap::from([("ttft<1s".to_owned(), self.failed)]),
            }),
            histograms: Latencies::histograms([
                ("latency_ms", &all),
                ("time_to_first_token_ms", &all),
                ("inter_token_ms", &all),
            ]),
            ..StreamStats::default()
        }
    }

    fn probes(&self) -> BTreeMap<String, ProbeStats> {
        let (all, ok) = (self.latencies(), self.micros.len() as u64);
        let sent = ok + self.failed;
        let stats = ProbeStats {
            sent,
            ok,
            failed: self.failed,
            latency_ms: all.quantiles_among(sent),
            latency_from_sent_ms: all.quantiles_among(sent),
            histograms: Latencies::histograms([("latency_ms", &all), ("latency_from_sent_ms", &all)]),
            ..ProbeStats::default()
        };
        BTreeMap::from([("health".to_owned(), stats)])
    }

    /// Its result, judged by these objectives.
    fn result(&self, objectives: &[&str]) -> RunResult {
        let phase = |name: &str, from_ms, to_ms| PhaseResult {
            name: name.to_owned(),
            from_ms,
            to_ms,
            probes: self.probes(),
            ..PhaseResult::default()
        };
        let parameters = [
            ("url", json!("http://h:1")),
            ("seed", json!(1)),
            ("warmup_ms", json!(0)),
            ("objectives", json!(objectives)),
        ];
        let lag = Latencies::from_iter([Duration::from_micros(100 + self.micros.len() as u64)]);
        let generator = Generator {
            schedule_lag_ms: lag.quantiles(),
            histograms: Latencies::histograms([("schedule_lag_ms", &lag)]),
            not_sent: 0,
        };
        let environment = Environment { cores: 2, memory_bytes: 8, os: "an OS".to_owned() };
        let parameters = parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let mut result = RunResult {
            started_unix_ms: Some(self.started),
            command_line: Some("loadgen run".to_owned()),
            target: Some(ArmResult {
                program: "http://h:1".to_owned(),
                streams: self.streams(),
                targets: vec![TargetResult {
                    url: "http://h:1".to_owned(),
                    streams: self.streams(),
                    probes: self.probes(),
                }],
                probes: self.probes(),
                phases: vec![phase(BASELINE, 0.0, 1000.123), phase(LOADED, 1000.123, 11_000.456_7)],
                timeline: self.rows.clone(),
                ..ArmResult::default()
            }),
            ..RunResult::new("run", environment, parameters, generator)
        };
        let objectives: Vec<_> = objectives.iter().map(|text| text.parse().unwrap()).collect();
        result.verdict = Verdict { warnings: Vec::new(), ..verdict::of_run(&objectives, &result, Vec::new()) };
        result
    }
}

fn named(name: &str, result: RunResult) -> NamedRun {
    NamedRun { name: format!("{name}.json"), result }
}

/// The target of `a.json`, `b.json`, ... merged.
fn merged(runs: &[RunResult]) -> RunResult {
    let names = ["a", "b", "c", "d"];
    let runs = names.iter().zip(runs).map(|(name, run)| named(name, run.clone())).collect();
    merge(runs).unwrap_or_else(|error| panic!("{error}"))
}
