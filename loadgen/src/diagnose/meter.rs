//! What is seen of a server while a number of streams is held.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::held::{Counts, Flow, HeldStreams, Pace, Patience};
use super::options::DiagnoseOptions;
use super::probes::Probes;
use super::process::{ProcessLook, ServerProcess};
use super::recording::Recording;
use super::seen::{Collapse, IdleStream, Seen};
use crate::measure::StreamLog;
use crate::numbers::in_millis;
use crate::result::DiagnosisLevel;

/// Time from one stream that is opened to the next: fewer at once than a listener's backlog takes.
const OPEN_INTERVAL: Duration = Duration::from_millis(5);
/// How long a stream may be silent, before its first chunk or the next one, until it counts as waiting.
const PATIENCE_MIN: Duration = Duration::from_secs(1);
const PATIENCE_MAX: Duration = Duration::from_secs(10);
/// The longest time that a number of streams is held to see the pace of slow ones.
const HOLD_MAX: Duration = Duration::from_secs(4);
/// A probe without an answer for so long counts.
const PROBE_PATIENCE: Duration = Duration::from_secs(1);
/// The time from the first chunks on in which the server may still be busy with the requests.
const SETTLE: Duration = Duration::from_millis(100);

/// What measures.
pub(super) struct Meter<'a> {
    pub(super) options: &'a DiagnoseOptions,
    pub(super) probes: &'a Probes,
    process: &'a ServerProcess,
    /// Where streams count as those of any run do.
    run: Arc<StreamLog>,
    /// When the diagnosis began.
    pub(super) origin: Instant,
    patience: Patience,
    /// The least time to the first chunk of a stream.
    pub(super) first_chunk: Duration,
    /// Time between two chunks.
    gap: Duration,
}

/// The state from which on something is measured.
struct Start {
    at: Instant,
    since: Duration,
    counts: Counts,
    pace: Pace,
    process: ProcessLook,
}

impl<'a> Meter<'a> {
    pub(super) fn new(
        options: &'a DiagnoseOptions,
        probes: &'a Probes,
        process: &'a ServerProcess,
        recording: &Recording,
        origin: Instant,
        idle: &IdleStream,
    ) -> Self {
        /// The least time to the first chunk, of that of an idle server: another one may begin sooner.
        const SOONER: f64 = 0.8;
        let first_chunk = idle.first_chunk.mul_f64(SOONER);
        let run = recording.streams.clone();
        Meter { options, probes, process, run, origin, patience: Self::patience(idle), first_chunk, gap: idle.gap() }
    }

    /// How long a stream may be silent, given how one of the idle server was.
    fn patience(idle: &IdleStream) -> Patience {
        let within = |time: Duration| time.clamp(PATIENCE_MIN, PATIENCE_MAX);
        Patience {
            first: within(idle.first_chunk * 5 / 2).max(idle.first_chunk * 3 / 2),
            next: within(idle.longest_gap * 3),
        }
    }

    /// How long a number of streams is measured: at least for `hold`, and for some chunks.
    fn measured_for(&self, hold: Duration) -> Duration {
        hold.max((self.gap * 4).min(HOLD_MAX))
    }

    /// How long it takes at most to hold this many streams.
    pub(super) fn takes(&self, streams: u64, hold: Duration) -> Duration {
        let opening = OPEN_INTERVAL * u32::try_from(streams).unwrap_or(u32::MAX);
        opening + self.patience.first + Collapse::LOOK + SETTLE + self.measured_for(hold)
    }

    /// New streams, of which none is open yet.
    pub(super) fn streams(&self, seen: &Seen) -> HeldStreams {
        HeldStreams::new(self.options, &seen.idle, self.run.clone())
    }

    /// Opens streams up to this number, waits until all flow or one waits too long, and then watches for `hold`.
    pub(super) async fn hold(&self, held: &mut HeldStreams, streams: u64, hold: Duration) -> DiagnosisLevel {
        let before = held.counts();
        held.open(usize::try_from(streams).unwrap_or(usize::MAX), OPEN_INTERVAL).await;
        let until = Instant::now() + self.patience.first + Collapse::LOOK;
        while Instant::now() < until {
            let flow = held.flow(self.patience);
            if flow.started >= streams || flow.waiting > 0 || held.counts().lost() > before.lost() {
                break;
            }
            sleep(Collapse::LOOK / 5).await;
        }
        sleep(SETTLE).await;
        self.measure(held, streams, hold, before.lost()).await
    }

    /// Watches for `hold` without opening more. Losses beyond `lost_before` count.
    pub(super) async fn measure(
        &self,
        held: &HeldStreams,
        streams: u64,
        hold: Duration,
        lost_before: u64,
    ) -> DiagnosisLevel {
        let start = self.start(held);
        let mut served = Vec::new();
        let until = start.at + self.measured_for(hold);
        while Instant::now() < until {
            sleep(Collapse::LOOK.min(until.saturating_duration_since(Instant::now()))).await;
            served.push(self.served(held, start.at));
        }
        self.level(held, streams, &start, &served, lost_before)
    }

    /// Watches for `hold` what becomes of streams that wait, and replaces the level of that number of streams.
    pub(super) async fn watch(&self, held: &HeldStreams, level: &mut DiagnosisLevel, hold: Duration) -> Collapse {
        let start = self.start(held);
        let mut served = Vec::new();
        // What is served is known only as late as its first chunk comes.
        let until = start.at + hold + self.first_chunk.min(hold);
        while Instant::now() < until {
            sleep(Collapse::LOOK).await;
            if start.at.elapsed() >= self.first_chunk.min(hold) {
                served.push(self.served(held, start.at));
            }
        }
        let lost_before = start.counts.lost().saturating_sub(level.lost);
        // The one that waits changes with each stream that ends, so that none may have waited for long at the end.
        let waiting = level.waiting;
        *level = self.level(held, level.streams, &start, &served, lost_before);
        level.waiting = level.waiting.max(waiting);
        let counts = held.counts();
        Collapse {
            served,
            ended: counts.ended - start.counts.ended,
            broken: counts.broken - start.counts.broken,
            begun: counts.begun - start.counts.begun,
            rejected: counts.rejected,
            failed: counts.failed,
            slowest_loss_ms: counts.slowest_loss_ms,
            ..Collapse::default()
        }
    }

    fn start(&self, held: &HeldStreams) -> Start {
        Start {
            at: Instant::now(),
            since: self.origin.elapsed(),
            counts: held.counts(),
            pace: held.pace(),
            process: self.process.look(),
        }
    }

    /// Streams that the server serves: those that have begun, and those that will have after the time that it takes.
    fn served(&self, held: &HeldStreams, start: Instant) -> u64 {
        let Flow { started, stalled, .. } = held.flow(self.patience);
        let at = Instant::now().checked_sub(self.first_chunk).filter(|at| *at >= start);
        let served = at.map_or(0, |at| held.log().served_at(at, self.first_chunk).saturating_sub(stalled));
        served.max(started)
    }

    fn level(
        &self,
        held: &HeldStreams,
        streams: u64,
        start: &Start,
        served: &[u64],
        lost_before: u64,
    ) -> DiagnosisLevel {
        let (flow, counts, pace, took) = (held.flow(self.patience), held.counts(), held.pace(), start.at.elapsed());
        let flowed = pace.flowed.saturating_sub(start.pace.flowed);
        let gaps = pace.gaps.saturating_sub(start.pace.gaps);
        let mut level = DiagnosisLevel {
            streams,
            started: served.iter().copied().max().unwrap_or(flow.started),
            waiting: flow.waiting,
            lost: counts.lost() - lost_before,
            chunks_per_second: (counts.chunks - start.counts.chunks) as f64 / took.as_secs_f64(),
            pace: (flowed >= self.gap * 2).then(|| gaps as f64 / flowed.as_secs_f64()),
            first_chunk_ms: held.log().typical_wait(start.counts.begun).map(in_millis),
            probes: self.probes.since(start.since, PROBE_PATIENCE),
            generator_lag_ms: Some(self.probes.lag_since(start.since)),
            ..DiagnosisLevel::default()
        };
        self.process.set_usage(&mut level, &start.process);
        level
    }
}
