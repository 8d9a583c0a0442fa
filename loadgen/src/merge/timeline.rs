//! The timelines of several runs, row by row. What happened at the same time stands in the same row, by the clocks of the
//! machines.

use std::collections::BTreeMap;

use crate::measure::SAMPLE_INTERVAL;
use crate::result::TimelineRow;

/// Length of a row in milliseconds.
const ROW_MS: f64 = SAMPLE_INTERVAL.as_millis() as f64;
/// Most rows one after another that may be missing because a busy machine took its sample late.
const MISSING_MAX: i64 = 4;

/// The rows of a run that started at `started_unix_ms`, moved to the next quarter of a second of the clock, which is the
/// same for all runs.
pub(super) fn by_the_clock(rows: Vec<TimelineRow>, started_unix_ms: u64) -> Vec<TimelineRow> {
    let started = started_unix_ms as f64;
    let mut moved: Vec<TimelineRow> = Vec::new();
    let mut last: Option<i64> = None;
    for row in rows {
        let quarter = ((started + row.t_ms) / ROW_MS).ceil() as i64;
        let at = |quarter: i64| quarter as f64 * ROW_MS - started;
        match (last, moved.last_mut()) {
            (Some(before), Some(same)) if before == quarter => *same = one_after_another(same, row),
            (Some(before), Some(earlier)) => {
                if quarter.saturating_sub(before) <= MISSING_MAX + 1 {
                    let earlier = earlier.clone();
                    let missing = before.saturating_add(1)..quarter;
                    moved.extend(missing.map(|quarter| without_news(&earlier, at(quarter))));
                }
                moved.push(TimelineRow { t_ms: at(quarter), ..row });
            }
            _ => moved.push(TimelineRow { t_ms: at(quarter), ..row }),
        }
        last = Some(quarter);
    }
    moved
}

/// A row in which nothing was seen: what was open and in use is as before.
fn without_news(before: &TimelineRow, t_ms: f64) -> TimelineRow {
    TimelineRow {
        t_ms,
        chunks: 0,
        completed: 0,
        probe_max_ms: BTreeMap::new(),
        probe_timed_out: BTreeMap::new(),
        probe_failed: BTreeMap::new(),
        probe_waiting: BTreeMap::new(),
        ..before.clone()
    }
}

/// Two rows of one run as one: its levels are those at its end.
fn one_after_another(first: &TimelineRow, second: TimelineRow) -> TimelineRow {
    let (streams_active, cpu_cores) = (second.streams_active, second.cpu_cores);
    let (rss_bytes, threads, fds) = (second.rss_bytes, second.threads, second.fds);
    let both = at_once(first.clone(), second);
    TimelineRow { streams_active, cpu_cores, rss_bytes, threads, fds, ..both }
}

/// The rows of two runs whose times are since the same start.
pub(super) fn joined(ours: Vec<TimelineRow>, theirs: Vec<TimelineRow>) -> Vec<TimelineRow> {
    let mut rows: BTreeMap<i64, TimelineRow> = BTreeMap::new();
    for row in ours.into_iter().chain(theirs) {
        let at = row.t_ms as i64;
        let row = match rows.remove(&at) {
            Some(there) => at_once(there, row),
            None => row,
        };
        rows.insert(at, row);
    }
    rows.into_values().collect()
}

/// Two rows of the same time. Every field stands here, so that a new one cannot be forgotten.
fn at_once(ours: TimelineRow, theirs: TimelineRow) -> TimelineRow {
    let mut probe_max_ms = ours.probe_max_ms;
    for (name, latency) in theirs.probe_max_ms {
        let longest = probe_max_ms.entry(name).or_insert(latency);
        *longest = longest.max(latency);
    }
    TimelineRow {
        t_ms: ours.t_ms,
        streams_active: ours.streams_active.saturating_add(theirs.streams_active),
        chunks: ours.chunks.saturating_add(theirs.chunks),
        completed: ours.completed.saturating_add(theirs.completed),
        probe_max_ms,
        probe_timed_out: sums(ours.probe_timed_out, theirs.probe_timed_out),
        probe_failed: sums(ours.probe_failed, theirs.probe_failed),
        probe_waiting: sums(ours.probe_waiting, theirs.probe_waiting),
        // It is one server, however many look at it.
        cpu_cores: ours.cpu_cores.into_iter().chain(theirs.cpu_cores).reduce(f64::max),
        rss_bytes: ours.rss_bytes.max(theirs.rss_bytes),
        threads: ours.threads.max(theirs.threads),
        fds: ours.fds.max(theirs.fds),
    }
}

fn sums(mut ours: BTreeMap<String, u64>, theirs: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    super::streams::add_by_name(&mut ours, theirs);
    ours
}
