//! When a server's health check stopped being answered as before, and how many streams were open then. One rule for
//! dashboard, playground, report and pictures.

use std::collections::BTreeSet;

use serde::Serialize;

use super::TimelineRow;
use crate::numbers::{count, ordinal};

/// The original check calls a pool exhausted from this latency on.
const EXHAUSTED_MS: f64 = 100.0;
/// As many rows as it must last: one second. For a moment the machine may be busy, and that is no collapse.
const ROWS: usize = 4;
/// Faster servers are allowed no more than this many times what was usual before.
const TIMES_USUAL: f64 = 10.0;

/// The collapse of a health check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Collapse {
    /// Start of the row of the timeline, since the start of the run.
    pub t_ms: f64,
    /// The probe.
    pub probe: String,
    /// The first stream that may have caused it: the first that was opened in this row, or the last one before it.
    pub streams_from: u64,
    /// The last stream that may have caused it: the last that was opened in this row.
    pub streams_to: u64,
    /// Its name for people: `40th stream`, or `41 to 60 streams` if it is not known to the stream.
    pub label: String,
}

impl Collapse {
    fn new(row: &TimelineRow, probe: &str, before: u64) -> Self {
        // A stream that was open before the row did no harm then.
        let first = if row.streams_active > before { before + 1 } else { before };
        let (from, to) = (first.min(row.streams_active), first.max(row.streams_active));
        Collapse { t_ms: row.t_ms, probe: probe.to_owned(), streams_from: from, streams_to: to, label: label(from, to) }
    }
}

fn label(from: u64, to: u64) -> String {
    match (from, to) {
        (0, 0) => "no stream open".to_owned(),
        _ if from == to => format!("{} stream", ordinal(to)),
        _ => format!("{} to {} streams", count(from), count(to)),
    }
}

/// The collapse of `probe`: the first row in which one timed out, or took at least 100 ms and ten times the median of
/// the rows before, and went on doing so for a second. `None` if there is no such row.
#[must_use]
pub fn collapse(rows: &[TimelineRow], probe: &str) -> Option<Collapse> {
    let mut usual = Median::default();
    let mut streams = rows.first()?.streams_active;
    for (index, row) in rows.iter().enumerate() {
        let usual_ms = usual.get();
        // Rows in which no probe was due say nothing.
        let from_here = rows[index..].iter().filter(|row| row.probe_max_ms.contains_key(probe)).take(ROWS);
        let lasts = from_here.filter(|row| is_late(row, probe, usual_ms)).count() == ROWS;
        if timed_out(row, probe) || is_late(row, probe, usual_ms) && lasts {
            return Some(Collapse::new(row, probe, streams));
        }
        row.probe_max_ms.get(probe).into_iter().for_each(|latency| usual.add(*latency));
        streams = row.streams_active;
    }
    None
}

fn timed_out(row: &TimelineRow, probe: &str) -> bool {
    row.probe_timed_out.get(probe).is_some_and(|number| *number > 0)
}

fn is_late(row: &TimelineRow, probe: &str, usual_ms: Option<f64>) -> bool {
    let latency = row.probe_max_ms.get(probe).copied();
    let is_late = |latency: f64, usual: f64| latency >= EXHAUSTED_MS && latency >= TIMES_USUAL * usual;
    timed_out(row, probe) || latency.zip(usual_ms).is_some_and(|(latency, usual)| is_late(latency, usual))
}

/// The first collapse of any probe.
#[must_use]
pub fn first_collapse(rows: &[TimelineRow]) -> Option<Collapse> {
    let probes: BTreeSet<_> = rows.iter().flat_map(|row| row.probe_max_ms.keys()).collect();
    let collapses = probes.into_iter().filter_map(|probe| collapse(rows, probe));
    collapses.min_by(|one, other| one.t_ms.total_cmp(&other.t_ms))
}

/// The median of what has been added so far.
#[derive(Default)]
struct Median {
    sorted: Vec<f64>,
}

impl Median {
    fn add(&mut self, value: f64) {
        let at = self.sorted.partition_point(|there| *there < value);
        self.sorted.insert(at, value);
    }

    /// The lower one of two in the middle; `None` if nothing was added.
    fn get(&self) -> Option<f64> {
        self.sorted.get(self.sorted.len().checked_sub(1)? / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Rows of 250 ms with these streams at their ends and these latencies; `None` timed out after 10 s.
    fn rows(rows: &[(u64, Option<f64>)]) -> Vec<TimelineRow> {
        let row = |(index, (streams, latency)): (usize, &(u64, Option<f64>))| TimelineRow {
            t_ms: index as f64 * 250.0,
            streams_active: *streams,
            probe_max_ms: BTreeMap::from([("health".to_owned(), latency.unwrap_or(10_000.0))]),
            probe_timed_out: BTreeMap::from([("health".to_owned(), u64::from(latency.is_none()))]),
            ..TimelineRow::default()
        };
        rows.iter().enumerate().map(row).collect()
    }

    fn found(of: &[(u64, Option<f64>)]) -> Option<(f64, String)> {
        collapse(&rows(of), "health").map(|collapse| (collapse.t_ms, collapse.label))
    }

    #[test]
    fn a_collapse_is_found_to_the_stream_if_one_was_opened() {
        let steps = [(38, Some(0.5)), (39, Some(0.6)), (40, None), (40, None)];
        assert_eq!(found(&steps), Some((500.0, "40th stream".to_owned())));
        // Opened at the end of a row, and seen in the next.
        let later = [(39, Some(0.5)), (40, Some(0.6)), (40, None), (40, None)];
        assert_eq!(found(&later), Some((500.0, "40th stream".to_owned())));
        let blocked = [14_000.0, 13_750.0, 13_500.0, 13_250.0].map(|latency| (1, Some(latency)));
        assert_eq!(found(&[&[(0, Some(0.5))], &blocked[..]].concat()), Some((250.0, "1st stream".to_owned())));
    }

    #[test]
    fn a_collapse_while_several_streams_open_is_a_range() {
        let ramp = collapse(&rows(&[(0, Some(0.5)), (38, Some(0.6)), (47, None)]), "health").unwrap();
        assert_eq!((ramp.streams_from, ramp.streams_to, &*ramp.label), (39, 47, "39 to 47 streams"));
        // Some ended in the same row.
        let falling = collapse(&rows(&[(47, Some(0.5)), (39, None)]), "health").unwrap();
        assert_eq!((falling.streams_from, falling.streams_to), (39, 47));
        assert_eq!(found(&[(0, Some(0.5)), (0, None)]), Some((250.0, "no stream open".to_owned())));
    }

    #[test]
    fn a_latency_must_be_long_and_unusual() {
        let after = |usual: &[f64], then: &[f64]| {
            let rows: Vec<_> = usual.iter().chain(then).map(|latency| (5, Some(*latency))).collect();
            found(&rows).map(|(t_ms, _)| t_ms)
        };
        let for_a_second = |latency| after(&[9.0, 11.0, 9.5], &[latency; 4]).is_some();
        assert_eq!([99.9, 100.0, 400.0].map(for_a_second), [false, true, true]);
        assert_eq!((after(&[50.0, 60.0], &[499.0; 4]), after(&[50.0], &[500.0; 4])), (None, Some(250.0)));
        // A busy moment of the machine, and one that is not over.
        assert_eq!((after(&[0.5], &[400.0, 300.0, 200.0, 0.5, 400.0]), after(&[0.5], &[400.0; 3])), (None, None));
        // Nothing is usual yet: only a time-out says that it has collapsed.
        assert_eq!((found(&[(1, Some(900.0)); 5]), found(&[(1, None)]).is_some()), (None, true));
    }

    #[test]
    fn rows_without_the_probe_say_nothing() {
        assert_eq!(collapse(&rows(&[(0, Some(0.5)), (40, None)]), "another"), None);
        assert_eq!((collapse(&[], "health"), first_collapse(&[])), (None, None));
    }

    #[test]
    fn the_first_collapse_is_that_of_any_probe() {
        let mut rows = rows(&[(39, Some(0.5)), (40, Some(0.5)), (41, None)]);
        assert_eq!(first_collapse(&rows), collapse(&rows, "health"));
        rows[1].probe_timed_out.insert("async".to_owned(), 1);
        rows[1].probe_max_ms.insert("async".to_owned(), 10_000.0);
        let first = first_collapse(&rows).unwrap();
        assert_eq!((&*first.probe, &*first.label), ("async", "40th stream"));
    }

    #[test]
    fn the_page_and_scripts_read_its_name() {
        let collapse = collapse(&rows(&[(39, Some(0.5)), (40, None)]), "health");
        let json = serde_json::json!({"t_ms": 250.0, "probe": "health", "streams_from": 40, "streams_to": 40,
                                      "label": "40th stream"});
        assert_eq!(serde_json::to_value(collapse).unwrap(), json);
    }
}
