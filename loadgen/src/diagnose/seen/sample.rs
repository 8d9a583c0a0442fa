//! What was seen of a server, for the tests of the rule.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Collapse, HEALTH, KEPT_CONNECTION, ProcessSeen, Seen, UNKNOWN_PATH};
use crate::result::{DiagnosisLevel, ProbeLevel, Quantiles};

/// Fifty probes with this latency, half of which took less.
pub(crate) fn answered(p50: f64, p90: f64) -> ProbeLevel {
    let latency_ms = Quantiles { p50, p90, p99: p90, max: p90 };
    ProbeLevel { sent: 50, answered: 50, latency_ms, ..ProbeLevel::default() }
}

/// Fifty probes whose connection was closed at once.
pub(crate) fn failed() -> ProbeLevel {
    ProbeLevel { sent: 50, failed: 50, ..ProbeLevel::default() }
}

/// Fifty probes that got no answer in time.
pub(crate) fn hung() -> ProbeLevel {
    ProbeLevel { answered: 0, timed_out: 50, ..answered(4_000.0, 4_000.0) }
}

/// The probes of health, of an unknown path and on the kept connection.
pub(crate) fn probes(health: ProbeLevel, unknown: ProbeLevel, kept: ProbeLevel) -> BTreeMap<String, ProbeLevel> {
    let names = [HEALTH, UNKNOWN_PATH, KEPT_CONNECTION].map(str::to_owned);
    names.into_iter().zip([health, unknown, kept]).collect()
}

impl Seen {
    /// A server whose streams have five chunks a second: with eight it was as when idle, and then came `worst`, on a
    /// machine with two processors.
    pub(crate) fn sample(worst: DiagnosisLevel, collapse: Collapse) -> Seen {
        let fast = || probes(answered(1.0, 2.0), answered(1.0, 2.0), answered(0.5, 1.0));
        let good = DiagnosisLevel {
            streams: 8,
            started: 8,
            chunks_per_second: 40.0,
            pace: Some(5.0),
            probes: fast(),
            cpu_cores: Some(0.02),
            threads: Some(5),
            ..DiagnosisLevel::default()
        };
        let mut seen = Seen {
            idle_probes: fast(),
            keeps_connections: true,
            idle_process: ProcessSeen {
                threads: Some(5),
                fds: Some(12),
                machine_cores: Some(0.1),
                listens: Some(true),
            },
            levels: vec![good, worst],
            collapse: Some(Collapse { level: 1, first_bad: 1, ..collapse }),
            processors: Some(2),
            streams_max: 1_000,
            ..Seen::default()
        };
        let at = [200, 400, 600, 800, 1_000, 1_200].map(Duration::from_millis);
        seen.idle.set_times(&at, Duration::from_millis(1_300));
        seen
    }
}
