//! The timeline of a run, a row per 250 ms.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{ProbeLog, ProbeOutcome, ProbeSeen, Sample, ServerSamples};
use crate::numbers::in_millis;
use crate::result::TimelineRow;

/// Streams, probes and process, a row per sample.
#[must_use]
pub fn timeline(server: &ServerSamples, probes: &[Arc<ProbeLog>]) -> Vec<TimelineRow> {
    let (samples, _) = server.since(0);
    let mut rows: Vec<_> = samples.windows(2).map(|pair| timeline_row(pair[0], pair[1])).collect();
    if let Some(last) = samples.last() {
        probes.iter().for_each(|log| _ = count_probes(&mut rows, last.at, log, None));
    }
    rows
}

/// The row between two samples, without probes.
#[must_use]
pub fn timeline_row(start: Sample, end: Sample) -> TimelineRow {
    let cpu_cores = start.process.zip(end.process).map(|(before, after)| {
        after.cpu.saturating_sub(before.cpu).as_secs_f64() / (end.at - start.at).as_secs_f64().max(0.001)
    });
    TimelineRow {
        t_ms: in_millis(start.at),
        streams_active: end.streams_active,
        chunks: end.chunks.saturating_sub(start.chunks),
        completed: end.completed.saturating_sub(start.completed),
        cpu_cores,
        rss_bytes: end.process.map(|process| process.rss_bytes),
        threads: end.process.and_then(|process| process.threads),
        fds: end.process.and_then(|process| process.fds),
        ..TimelineRow::default()
    }
}

/// The probes of one kind that were due in one row.
#[derive(Debug, Clone, Copy, Default)]
struct DueProbes {
    longest: Option<Duration>,
    timed_out: u64,
    failed: u64,
    waiting: u64,
}

impl DueProbes {
    fn took(&mut self, latency: Duration) {
        self.longest = self.longest.max(Some(latency));
    }
}

/// Counts the probes of `log` anew in those of `rows` in which they were due. The rows follow each other, and the last
/// ends at `end`. With `now`, a probe without an answer counts too: as the time that it has waited. Returns the first row
/// that has changed.
pub fn count_probes(rows: &mut [TimelineRow], end: Duration, log: &ProbeLog, now: Option<Duration>) -> Option<usize> {
    let from = Duration::from_secs_f64(rows.first()?.t_ms / 1000.0);
    let mut found = vec![DueProbes::default(); rows.len()];
    let row_of = |due: Duration| match rows.partition_point(|row| row.t_ms <= in_millis(due)) {
        0 => None,
        next => (due < end).then_some(next - 1),
    };
    log.visit(from, |probe| match (probe, now) {
        (ProbeSeen::Ended(record), _) => {
            let Some(row) = row_of(record.due) else { return };
            found[row].took(record.latency);
            found[row].timed_out += u64::from(record.outcome == ProbeOutcome::TimedOut);
            found[row].failed += u64::from(record.outcome.failure().is_some());
        }
        (ProbeSeen::Waiting(due), Some(now)) => {
            let Some(row) = row_of(due) else { return };
            found[row].took(now.saturating_sub(due));
            found[row].waiting += 1;
        }
        (ProbeSeen::Waiting(_), None) => {}
    });
    let name = log.kind.name.as_str();
    let mut first_changed = None;
    for (index, (row, found)) in rows.iter_mut().zip(found).enumerate() {
        if write(row, name, found) {
            first_changed.get_or_insert(index);
        }
    }
    first_changed
}

/// Writes what was found of the probe `name` into `row`, and returns whether that is new.
fn write(row: &mut TimelineRow, name: &str, found: DueProbes) -> bool {
    let longest = set(&mut row.probe_max_ms, name, found.longest.map(in_millis));
    let timed_out = set(&mut row.probe_timed_out, name, Some(found.timed_out));
    let some = |number| Some(number).filter(|number| *number > 0);
    let failed = set(&mut row.probe_failed, name, some(found.failed));
    let waiting = set(&mut row.probe_waiting, name, some(found.waiting));
    longest || timed_out || failed || waiting
}

/// Sets or removes the value of `name`, and returns whether that changes it.
fn set<T: PartialEq>(values: &mut BTreeMap<String, T>, name: &str, value: Option<T>) -> bool {
    match (values.get_mut(name), value) {
        (None, None) => false,
        (Some(_), None) => values.remove(name).is_some(),
        (None, Some(value)) => {
            values.insert(name.to_owned(), value);
            true
        }
        (Some(old), Some(value)) => {
            let changes = *old != value;
            *old = value;
            changes
        }
    }
}
