//! The timeline of a run, a row per 250 ms.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ProbeLog, ProbeOutcome, Sample, ServerSamples};
use crate::numbers::in_millis;
use crate::result::TimelineRow;

/// Streams, probes and process, a row per sample.
#[must_use]
pub fn timeline(server: &ServerSamples, probes: &[Arc<ProbeLog>]) -> Vec<TimelineRow> {
    let samples = server.samples();
    samples.windows(2).map(|pair| row(pair[0], pair[1], probes)).collect()
}

fn row(start: Sample, end: Sample, probes: &[Arc<ProbeLog>]) -> TimelineRow {
    let mut probe_max_ms = BTreeMap::new();
    let mut probe_timed_out = BTreeMap::new();
    let mut probe_failed = BTreeMap::new();
    for log in probes {
        let due = log.due_between(start.at, end.at);
        if let Some(longest) = due.iter().map(|record| record.latency).max() {
            probe_max_ms.insert(log.kind.name.clone(), in_millis(longest));
        }
        let timed_out = due.iter().filter(|record| record.outcome == ProbeOutcome::TimedOut).count() as u64;
        probe_timed_out.insert(log.kind.name.clone(), timed_out);
        let failed = due.iter().filter(|record| record.outcome.failure().is_some()).count() as u64;
        if failed > 0 {
            probe_failed.insert(log.kind.name.clone(), failed);
        }
    }
    let cpu_cores = start.process.zip(end.process).map(|(before, after)| {
        after.cpu.saturating_sub(before.cpu).as_secs_f64() / (end.at - start.at).as_secs_f64().max(0.001)
    });
    TimelineRow {
        t_ms: in_millis(start.at),
        streams_active: end.streams_active,
        chunks: end.chunks.saturating_sub(start.chunks),
        probe_max_ms,
        probe_timed_out,
        probe_failed,
        cpu_cores,
        rss_bytes: end.process.map(|process| process.rss_bytes),
        threads: end.process.and_then(|process| process.threads),
        fds: end.process.and_then(|process| process.fds),
    }
}
