//! The ramp: twice as many streams each time, until the server is no longer as when idle, and then some seconds of
//! watching what happens there.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::held::{HeldStreams, Totals};
use super::news::DiagnoseNews;
use super::probes::Probes;
use super::seen::{Collapse, CutShort, Seen};
use crate::measure::{ProcessUsage, ServerSamples};
use crate::numbers::in_millis;
use crate::result::DiagnosisLevel;

/// How long a number of streams is held at least.
const HOLD_MIN: Duration = Duration::from_millis(1_200);
/// Time between two looks at the streams.
const LOOK: Duration = Duration::from_millis(250);
/// How long the collapse is watched: long enough to see a pool grow.
const WATCH: Duration = Duration::from_secs(5);
/// The same where all streams flow and only the checks are late.
const WATCH_CHECKS: Duration = Duration::from_secs(2);
/// The time over which the streams of a level are opened: at most so many at once as a listener's backlog takes.
const OPEN_EACH: Duration = Duration::from_millis(5);

/// What a ramp needs.
pub(super) struct Ramp<'a> {
    pub(super) held: &'a mut HeldStreams,
    pub(super) probes: &'a Probes,
    pub(super) samples: &'a ServerSamples,
    pub(super) origin: Instant,
    /// When it must end, whatever it has found.
    pub(super) until: Instant,
}

impl Ramp<'_> {
    /// Holds 1, 2, 4, ... streams, up to `seen.streams_max`, and adds what it sees. `news` is called before and after each
    /// level.
    pub(super) async fn climb(&mut self, seen: &mut Seen, mut news: impl FnMut(DiagnoseNews<'_>)) {
        let (mut streams, mut was_late) = (1, false);
        if Instant::now() + Self::takes(streams, seen) >= self.until {
            seen.cut_short = Some(CutShort::TimeOver);
            return;
        }
        loop {
            news(DiagnoseNews::Holding(streams));
            let level = self.level(streams, HOLD_MIN, seen).await;
            news(DiagnoseNews::Level(&level));
            seen.levels.push(level);
            seen.cut_short = self.cut_short();
            if seen.cut_short.is_some() {
                return;
            }
            let place = seen.levels.len() - 1;
            was_late = match state(seen, &seen.levels[place]) {
                State::Good => false,
                // A pool that is just full lets all streams flow and only its checks wait: more streams show how many
                // it has. Chance makes checks late too, but not twice.
                State::ChecksLate if !was_late && streams < seen.streams_max => true,
                _ => {
                    let streams_suffer = state(seen, &seen.levels[place]) == State::StreamsSuffer;
                    let watch = if streams_suffer { WATCH } else { WATCH_CHECKS };
                    news(DiagnoseNews::Watching(streams, watch));
                    seen.collapse = Some(self.watch(watch, place, seen).await);
                    news(DiagnoseNews::Level(&seen.levels[place]));
                    seen.cut_short = self.cut_short();
                    if state(seen, &seen.levels[place]) == State::ChecksLate {
                        self.find_corner(seen, &mut news).await;
                    }
                    return;
                }
            };
            let next = (streams * 2).min(seen.streams_max);
            if streams >= seen.streams_max {
                return;
            }
            if Instant::now() + Self::takes(next, seen) >= self.until {
                seen.cut_short = Some(CutShort::TimeOver);
                return;
            }
            streams = next;
        }
    }

    /// Whether more streams would show nothing.
    fn cut_short(&self) -> Option<CutShort> {
        /// What a proxy answers in place of a server that it cannot reach.
        const BAD_GATEWAY: u16 = 502;
        let (began, lately) = (Duration::ZERO, self.origin.elapsed().saturating_sub(HOLD_MIN));
        match () {
            () if self.held.totals().not_sent > 0 => Some(CutShort::OwnLimit),
            () if self.probes.refused(began) => Some(CutShort::ServerGone),
            () if self.probes.share_of(BAD_GATEWAY, lately) > 0.5 => Some(CutShort::ServerGoneBehindProxy),
            () => None,
        }
    }

    /// All streams flow and only the checks are late: looks for the least number of streams with which they are.
    async fn find_corner(&mut self, seen: &mut Seen, news: &mut impl FnMut(DiagnoseNews<'_>)) {
        /// Twice as many checks as in the ramp: single late ones must not decide.
        const HOLD: Duration = Duration::from_secs(2);
        // A single slow level below fast ones was chance.
        let fast = seen.levels.iter().filter(|level| !seen.health_needs_a_turn(level));
        let mut good = fast.map(|level| level.streams).max().unwrap_or_default();
        let above = seen.levels.iter().map(|level| level.streams).filter(|streams| *streams > good);
        let Some(mut late) = above.min() else { return };
        while late - good > 1 && Instant::now() + HOLD < self.until {
            let streams = good + (late - good) / 2;
            self.held.close_down_to(usize::try_from(streams).unwrap_or(usize::MAX));
            sleep(LOOK.max(seen.idle.gap() * 2)).await;
            news(DiagnoseNews::Holding(streams));
            let level = self.level(streams, HOLD, seen).await;
            news(DiagnoseNews::Level(&level));
            if seen.health_needs_a_turn(&level) { late = streams } else { good = streams }
        }
        if let Some(collapse) = &mut seen.collapse {
            collapse.corner = (late - good <= 1).then_some(late);
        }
    }

    /// How long it takes at most to hold this many streams, and to watch a collapse there.
    fn takes(streams: u64, seen: &Seen) -> Duration {
        opening(streams) + Self::patience(seen) + LOOK + HOLD_MIN.max(seen.idle.gap() * 4) + WATCH
    }

    /// How long a stream may wait for its first chunk before it counts as waiting.
    fn patience(seen: &Seen) -> Duration {
        let first = seen.idle.first_chunk;
        (first * 4).clamp(Duration::from_secs(1), Duration::from_secs(8)).max(first * 3 / 2)
    }

    /// Holds this many streams, until all flow and have been watched for a while, or one waits too long.
    async fn level(&mut self, streams: u64, hold: Duration, seen: &Seen) -> DiagnosisLevel {
        let (count, before) = (usize::try_from(streams).unwrap_or(usize::MAX), self.held.totals());
        self.held.open(count, opening(streams)).await;
        let patience = Self::patience(seen);
        let limit = Instant::now() + patience + LOOK;
        while Instant::now() < limit {
            let flow = self.held.flow(patience);
            if flow.started >= streams || self.held.totals().lost() > before.lost() {
                break;
            }
            sleep(LOOK / 5).await;
        }
        self.measured(streams, hold.max(seen.idle.gap() * 4), patience, &before).await
    }

    /// Watches for `hold`. What was lost since `before` counts.
    async fn measured(&self, streams: u64, hold: Duration, patience: Duration, before: &Totals) -> DiagnosisLevel {
        let (from, usage, chunks) = (self.origin.elapsed(), self.samples.usage(), self.held.totals().chunks);
        sleep(hold).await;
        let (flow, totals, took) = (self.held.flow(patience), self.held.totals(), self.origin.elapsed() - from);
        let now = self.samples.usage();
        DiagnosisLevel {
            streams,
            started: flow.started,
            waiting: flow.waiting,
            lost: totals.lost() - before.lost(),
            chunks_per_second: (totals.chunks - chunks) as f64 / took.as_secs_f64(),
            probes: self.probes.since(from, patience.min(Duration::from_secs(1))),
            cpu_cores: cores(usage, now, took),
            threads: now.and_then(|usage| usage.threads),
            fds: now.and_then(|usage| usage.fds),
        }
    }

    /// Watches the level at `place` for some seconds, and replaces it by what is seen in them.
    async fn watch(&mut self, watch: Duration, place: usize, seen: &mut Seen) -> Collapse {
        let (patience, before, from) = (Self::patience(seen), self.held.totals(), self.origin.elapsed());
        let usage = self.samples.usage();
        let mut started = Vec::new();
        let until = Instant::now() + watch;
        while Instant::now() < until {
            started.push(self.held.flow(patience).started);
            sleep(LOOK).await;
        }
        let (totals, took, now) = (self.held.totals(), self.origin.elapsed() - from, self.samples.usage());
        let flow = self.held.flow(patience);
        if let Some(level) = seen.levels.get_mut(place) {
            *level = DiagnosisLevel {
                streams: level.streams,
                started: flow.started,
                waiting: flow.waiting,
                lost: level.lost.max(totals.lost() - before.lost()),
                chunks_per_second: (totals.chunks - before.chunks) as f64 / took.as_secs_f64(),
                probes: self.probes.since(from, Duration::from_secs(1)),
                cpu_cores: cores(usage, now, took),
                threads: now.and_then(|usage| usage.threads),
                fds: now.and_then(|usage| usage.fds),
            };
        }
        Collapse {
            level: place,
            started,
            ended: totals.ended - before.ended,
            begun: totals.begun - before.begun,
            slowest_loss_ms: totals.slowest_loss_ms,
            rejected: totals.rejected,
            failed: totals.failed,
            corner: None,
        }
    }
}

/// The time over which this many streams are opened.
fn opening(streams: u64) -> Duration {
    OPEN_EACH * u32::try_from(streams).unwrap_or(u32::MAX)
}

/// Share of one processor between two looks.
fn cores(before: Option<ProcessUsage>, now: Option<ProcessUsage>, took: Duration) -> Option<f64> {
    Some(now?.cpu.saturating_sub(before?.cpu).as_secs_f64() / took.as_secs_f64())
}

/// What a level shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The server is as when idle.
    Good,
    /// All streams flow as fast as one alone, and checks are late.
    ChecksLate,
    /// Streams wait, are lost, or flow more slowly.
    StreamsSuffer,
}

fn state(seen: &Seen, level: &DiagnosisLevel) -> State {
    let check_is_late = level.probes.iter().any(|(name, probe)| {
        let late = probe.latency_ms.p90 >= seen.late_ms(name);
        probe.sent > 0 && (late || (probe.timed_out + probe.failed) * 4 >= probe.sent)
    });
    if level.waiting > 0 || level.lost > 0 || is_slowed(seen, level) {
        State::StreamsSuffer
    } else if check_is_late {
        State::ChecksLate
    } else {
        State::Good
    }
}

/// Whether the streams that flow get fewer chunks than one alone.
fn is_slowed(seen: &Seen, level: &DiagnosisLevel) -> bool {
    /// Share of the chunks at the pace of an idle server.
    const SLOWED: f64 = 0.7;
    let gap = in_millis(seen.idle.gap()) / 1000.0;
    gap > 0.0 && level.started > 0 && level.chunks_per_second * gap < SLOWED * level.started as f64
}
