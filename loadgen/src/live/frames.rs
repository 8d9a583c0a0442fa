//! Builds the frames of a run, one after another.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::latest::latest;
use super::rows::RowsSoFar;
use super::{ArmFrame, Frame, PhaseFrame, PoolFrame, VendorFrame};
use crate::measure::{ProbeLog, SAMPLE_INTERVAL, ServerSamples};
use crate::numbers::in_millis;
use crate::result::{Side, TimelineRow, first_collapse};

/// What is shown as now.
const LAST_SECOND: Duration = Duration::from_secs(1);

/// How much of a run without an end is kept: 1,200 rows an arm.
pub const ROWS_KEPT: Duration = Duration::from_secs(300);

/// Builds the frames of a run. There is one frame, which is brought up to date: an update costs what has changed since
/// the last one, not what the run has seen so far.
#[derive(Debug, Default)]
pub struct Frames {
    frame: Frame,
    rows: Vec<RowsSoFar>,
    kept: Option<Duration>,
}

/// What is measured of an arm.
#[derive(Clone, Copy)]
pub struct ArmNow<'a> {
    /// Its process and streams, sampled.
    pub server: &'a ServerSamples,
    /// Its probes, by kind.
    pub probes: &'a [Arc<ProbeLog>],
    /// Streams and calls that are asked for.
    pub asked: u64,
    /// The blocking pool of its server, if that is known.
    pub pool: Option<PoolFrame>,
    /// What its vendor has seen, if that is known.
    pub vendor: Option<VendorFrame>,
}

impl Frames {
    /// A run that keeps its whole timeline.
    #[must_use]
    pub fn new() -> Self {
        Frames::default()
    }

    /// A run without an end, which keeps its last [`ROWS_KEPT`].
    #[must_use]
    pub fn endless() -> Self {
        let frame = Frame { rows_kept_ms: Some(in_millis(ROWS_KEPT)), ..Frame::default() };
        Frames { frame, kept: Some(ROWS_KEPT), ..Frames::default() }
    }

    /// Adds an arm, which has the next index.
    pub fn add(&mut self, name: impl Into<String>, side: Option<Side>, mistake: Option<String>) {
        self.frame.arms.push(ArmFrame { name: name.into(), side, mistake, ..ArmFrame::default() });
        self.rows.push(RowsSoFar::default());
    }

    /// Begins the arm with this index anew, with another server that is measured from `began` on: its earlier rows are
    /// dropped.
    pub fn restart(&mut self, index: usize, mistake: Option<String>, began: Duration) {
        if let (Some(arm), Some(rows)) = (self.frame.arms.get_mut(index), self.rows.get_mut(index)) {
            let (name, side) = (std::mem::take(&mut arm.name), arm.side);
            *arm = ArmFrame { name, side, mistake, started_ms: in_millis(began), ..ArmFrame::default() };
            *rows = RowsSoFar::default();
        }
    }

    /// Brings the time and the phase up to date.
    pub fn update(&mut self, now: Duration, phase: Option<PhaseFrame>) {
        self.frame.t_ms = in_millis(now);
        self.frame.phase = phase;
    }

    /// Brings the arm with this index up to date.
    pub fn update_arm(&mut self, index: usize, now: Duration, arm: ArmNow<'_>) {
        let (Some(frame), Some(rows)) = (self.frame.arms.get_mut(index), self.rows.get_mut(index)) else { return };
        rows.update(&mut frame.rows, arm.server, arm.probes, now, self.kept);
        if frame.collapse.is_none() && !rows.changed(&frame.rows).is_empty() {
            frame.collapse = first_collapse(&frame.rows);
        }
        let since = now.saturating_sub(LAST_SECOND);
        frame.streams_active = arm.server.active();
        frame.streams_asked = arm.asked;
        frame.chunks_per_second = chunks_per_second(&frame.rows, since);
        // Four samples, the oldest of which may be up to an interval older than a second.
        frame.cpu_cores = arm.server.cpu_cores(since.saturating_sub(SAMPLE_INTERVAL), now);
        frame.threads = frame.rows.last().and_then(|row| row.threads);
        frame.pool = arm.pool;
        frame.vendor = arm.vendor;
        let probe = |log: &Arc<ProbeLog>| (log.kind.name.clone(), latest(log, since, now));
        frame.probes = arm.probes.iter().map(probe).collect::<BTreeMap<_, _>>();
    }

    /// The frame, with all rows that are kept.
    #[must_use]
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// The frame with those rows alone that the last update has changed or added.
    #[must_use]
    pub fn changes(&self) -> Frame {
        let arm = |(arm, rows): (&ArmFrame, &RowsSoFar)| arm.with_rows(rows.changed(&arm.rows));
        let Frame { t_ms, rows_kept_ms, .. } = self.frame;
        let arms = self.frame.arms.iter().zip(&self.rows).map(arm).collect();
        Frame { t_ms, phase: self.frame.phase.clone(), rows_kept_ms, arms }
    }
}

/// Tokens per second in the rows since `since`.
fn chunks_per_second(rows: &[TimelineRow], since: Duration) -> f64 {
    let first = rows.partition_point(|row| row.t_ms < in_millis(since.saturating_sub(SAMPLE_INTERVAL)));
    let recent = &rows[first..];
    let Some((from, to)) = recent.first().zip(recent.last()) else { return 0.0 };
    let seconds = (to.t_ms - from.t_ms) / 1000.0 + SAMPLE_INTERVAL.as_secs_f64();
    recent.iter().map(|row| row.chunks).sum::<u64>() as f64 / seconds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::ProbeFrame;
    use crate::measure::{ProbeKind, ProbeOutcome, ProbeRecord, Sample};

    const MS: fn(u64) -> Duration = Duration::from_millis;

    /// The measurements of a minute: 240 samples and 20 probes a second of each kind, of which those of the second kind have
    /// no answer since `hangs`.
    fn minute(hangs: u64) -> (ServerSamples, Vec<Arc<ProbeLog>>) {
        let server = ServerSamples::new(None, Vec::new());
        (0..=240)
            .for_each(|sample| server.add(Sample { at: MS(250 * sample), chunks: 10 * sample, ..Sample::default() }));
        let probes = ["fast", "hangs"].map(|name| Arc::new(ProbeLog::new(ProbeKind::new(name, "/"))));
        for due in (0..60_000).step_by(50) {
            for log in &probes {
                log.begin(MS(due));
                if log.kind.name == "fast" || due < hangs {
                    let (sent_after, outcome, field_value) = (Duration::ZERO, ProbeOutcome::Ok, None);
                    log.end(ProbeRecord { due: MS(due), sent_after, latency: MS(2), outcome, field_value });
                }
            }
        }
        (server, probes.into())
    }

    fn frames(server: &ServerSamples, probes: &[Arc<ProbeLog>]) -> Frames {
        let mut frames = Frames::new();
        frames.add("broken", Some(Side::Broken), Some("pool-exhaustion".to_owned()));
        update(&mut frames, server, probes, 60_000);
        frames
    }

    fn update(frames: &mut Frames, server: &ServerSamples, probes: &[Arc<ProbeLog>], now: u64) {
        frames.update(MS(now), None);
        frames.update_arm(0, MS(now), ArmNow { server, probes, asked: 60, pool: None, vendor: None });
    }

    #[test]
    fn a_frame_shows_the_last_second_and_all_rows() {
        let (server, probes) = minute(50_000);
        let mut frames = frames(&server, &probes);
        let arm = &frames.frame().arms[0];
        assert_eq!((arm.streams_asked, arm.chunks_per_second, arm.rows.len()), (60, 40.0, 240));
        assert_eq!(arm.probes["fast"], ProbeFrame::Answered { ms: 2.0 });
        assert_eq!(arm.probes["hangs"], ProbeFrame::Waiting { ms: 10_000.0 });
        update(&mut frames, &server, &probes, 60_250);
        let changed = &frames.changes().arms[0].rows;
        assert_eq!((changed.len(), changed[0].t_ms), (40, 50_000.0), "those whose probes wait on");
    }

    #[test]
    fn an_arm_that_begins_anew_has_no_rows_of_the_one_before() {
        let (server, probes) = minute(60_000);
        let mut frames = frames(&server, &probes);
        frames.restart(0, Some("rollout".to_owned()), MS(60_000));
        let arm = &frames.frame().arms[0];
        assert_eq!((arm.name.as_str(), arm.mistake.as_deref(), arm.started_ms), ("broken", Some("rollout"), 60_000.0));
        assert!(arm.rows.is_empty() && frames.changes().arms[0].rows.is_empty());
    }

    /// An update costs what is new in it: the whole minute takes tens of times as long.
    #[test]
    fn an_update_does_not_cost_more_the_longer_the_run_is() {
        let (server, probes) = minute(60_000);
        let mut frames = frames(&server, &probes);
        let timed = |work: &mut dyn FnMut()| {
            let each = (0..20).map(|_| {
                let begun = std::time::Instant::now();
                work();
                begun.elapsed()
            });
            each.min().unwrap()
        };
        let mut now = 60_000;
        let update = timed(&mut || {
            now += 1;
            update(&mut frames, &server, &probes, now);
        });
        let whole = timed(&mut || drop(crate::measure::timeline(&server, &probes)));
        assert!(update * 4 < whole, "an update takes {update:?}, the whole timeline {whole:?}");
    }
}
