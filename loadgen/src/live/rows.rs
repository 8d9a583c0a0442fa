//! The timeline of a run that is under way, kept up to date a few rows at a time.

use std::sync::Arc;
use std::time::Duration;

use crate::measure::{ProbeLog, Sample, ServerSamples, count_probes, timeline_row};
use crate::numbers::in_millis;
use crate::result::TimelineRow;

/// A row whose probes have all ended is final once it is this old: the machine may be late in sending them.
const SETTLES_AFTER: Duration = Duration::from_secs(1);

/// Where the rows of an arm are up to. An update costs what the new rows and those with waiting probes cost, however
/// long the run is.
#[derive(Debug, Default)]
pub(super) struct RowsSoFar {
    /// The number of the next sample.
    next: usize,
    /// The last sample, at which the next row starts.
    last: Option<Sample>,
    /// Rows at the start that will not change.
    settled: usize,
    /// The first row that the last update has changed or added.
    changed: usize,
}

impl RowsSoFar {
    /// Adds the new samples to `rows`, and counts the probes of those that are not final yet, where a probe without an
    /// answer counts as the time that it has waited until `now`. Rows older than `kept` are dropped.
    pub(super) fn update(
        &mut self,
        rows: &mut Vec<TimelineRow>,
        server: &ServerSamples,
        probes: &[Arc<ProbeLog>],
        now: Duration,
        kept: Option<Duration>,
    ) {
        self.changed = rows.len();
        let (samples, next) = server.since(self.next);
        self.next = next;
        for sample in samples {
            rows.extend(self.last.map(|last| timeline_row(last, sample)));
            self.last = Some(sample);
        }
        let Some(last) = self.last else { return };
        for log in probes {
            if let Some(first) = count_probes(&mut rows[self.settled..], last.at, log, Some(now)) {
                self.changed = self.changed.min(self.settled + first);
            }
        }
        let waiting_since = probes.iter().filter_map(|log| log.longest_wait(now)).max();
        let settled_until = now.saturating_sub(waiting_since.unwrap_or_default().max(SETTLES_AFTER));
        // A row ends where the next one starts.
        let ended = rows.partition_point(|row| row.t_ms <= in_millis(settled_until));
        self.settled = ended.saturating_sub(1).max(self.settled);
        if let Some(kept) = kept {
            self.drop_old(rows, in_millis(now.saturating_sub(kept)));
        }
    }

    fn drop_old(&mut self, rows: &mut Vec<TimelineRow>, before_ms: f64) {
        let dropped = rows.partition_point(|row| row.t_ms < before_ms);
        rows.drain(..dropped);
        self.settled = self.settled.saturating_sub(dropped);
        self.changed = self.changed.saturating_sub(dropped);
    }

    /// Those of `rows` that the last update has changed or added.
    pub(super) fn changed<'a>(&self, rows: &'a [TimelineRow]) -> &'a [TimelineRow] {
        &rows[self.changed.min(rows.len())..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{ProbeKind, ProbeOutcome, ProbeRecord};

    const MS: fn(u64) -> Duration = Duration::from_millis;

    /// A server that is sampled every 250 ms and probed in between.
    struct Made {
        server: ServerSamples,
        probes: Vec<Arc<ProbeLog>>,
        so_far: RowsSoFar,
        rows: Vec<TimelineRow>,
    }

    impl Made {
        fn new() -> Self {
            let probes = vec![Arc::new(ProbeLog::new(ProbeKind::new("sync", "/")))];
            Made {
                server: ServerSamples::new(None, Vec::new()),
                probes,
                so_far: RowsSoFar::default(),
                rows: Vec::new(),
            }
        }

        fn sample(&self, at: u64) {
            self.server.add(Sample { at: MS(at), ..Sample::default() });
        }

        fn answer(&self, due: u64, latency: u64, outcome: ProbeOutcome) {
            let (due, latency, sent_after) = (MS(due), MS(latency), Duration::ZERO);
            self.probes[0].end(ProbeRecord { due, sent_after, latency, outcome, field_value: None });
        }

        /// The rows that have changed until `now`, by their starts.
        fn update(&mut self, now: u64, kept: Option<u64>) -> Vec<f64> {
            self.so_far.update(&mut self.rows, &self.server, &self.probes, MS(now), kept.map(MS));
            self.so_far.changed(&self.rows).iter().map(|row| row.t_ms).collect()
        }

        fn longest(&self, row: usize) -> Option<f64> {
            self.rows[row].probe_max_ms.get("sync").copied()
        }
    }

    #[test]
    fn a_probe_without_an_answer_counts_as_the_time_that_it_has_waited() {
        let mut made = Made::new();
        [0, 250, 500].into_iter().for_each(|at| made.sample(at));
        made.probes[0].begin(MS(100));
        made.probes[0].begin(MS(300));
        made.answer(300, 5, ProbeOutcome::Ok);
        assert_eq!(made.update(500, None), [0.0, 250.0]);
        assert_eq!((made.longest(0), made.longest(1)), (Some(400.0), Some(5.0)));
        assert_eq!(made.rows[0].probe_waiting.get("sync"), Some(&1));
        made.sample(750);
        assert_eq!(made.update(750, None), [0.0, 250.0, 500.0], "it has waited on");
        assert_eq!((made.longest(0), made.longest(2)), (Some(650.0), None));
        made.answer(100, 10_000, ProbeOutcome::TimedOut);
        made.update(10_100, None);
        assert_eq!((made.longest(0), made.rows[0].probe_timed_out["sync"]), (Some(10_000.0), 1));
        assert!(made.rows[0].probe_waiting.is_empty());
        assert_eq!(made.rows, crate::measure::timeline(&made.server, &made.probes), "as in the result");
    }

    #[test]
    fn a_row_is_final_once_its_probes_have_ended() {
        let mut made = Made::new();
        (0..=20).for_each(|sample| made.sample(250 * sample));
        made.probes[0].begin(MS(2_600));
        assert_eq!(made.update(5_000, None).len(), 20);
        // The waiting probe is in the row of 2.5 s: those before it are final, and only it has changed.
        assert_eq!(made.so_far.settled, 10);
        assert_eq!(made.update(5_001, None).first(), Some(&2_500.0));
        made.answer(2_600, 2_402, ProbeOutcome::Ok);
        made.update(5_002, None);
        assert_eq!(made.so_far.settled, 16, "all but the last second");
        assert!(made.update(5_003, None).is_empty());
    }

    #[test]
    fn a_run_without_an_end_keeps_its_last_rows() {
        let mut made = Made::new();
        for sample in 0..1_000 {
            made.sample(250 * sample);
            let changed = made.update(250 * sample, Some(10_000));
            made.server.forget(MS((250 * sample).saturating_sub(5_000)));
            assert!(changed.len() <= 1, "{changed:?}");
        }
        assert_eq!((made.rows.len(), made.rows[0].t_ms), (40, 239_750.0));
    }
}
