//! The ramp: ever more streams, until the server is no longer as when idle, and then some seconds of watching what happens
//! there.

use std::time::{Duration, Instant};

use super::held::HeldStreams;
use super::meter::Meter;
use super::news::DiagnoseNews;
use super::seen::{Collapse, CutShort, Seen, Stall};
use super::state::{State, is_partly_answered, state};
use crate::result::DiagnosisLevel;

/// How long a number of streams is held at least.
const HOLD: Duration = Duration::from_millis(1_200);
/// How long the collapse is watched: long enough to see a pool grow.
const WATCH: Duration = Duration::from_secs(5);
/// The same where all streams flow and only the checks are late.
const WATCH_CHECKS: Duration = Duration::from_secs(2);
/// Streams up to which the ramp goes on while a part of the requests is still answered at once.
const PARTLY_MAX: u64 = 64;

/// A ramp.
pub(super) struct Ramp<'a> {
    pub(super) meter: &'a Meter<'a>,
    pub(super) held: &'a mut HeldStreams,
    /// When it must end, whatever it has found.
    pub(super) until: Instant,
}

impl Ramp<'_> {
    /// Holds 1, 2, 4, ... streams, up to `seen.streams_max`, and adds what it sees. `news` is called before
    /// and after each level.
    pub(super) async fn climb(&mut self, seen: &mut Seen, mut news: impl FnMut(DiagnoseNews<'_>)) {
        let (mut streams, mut first_bad, mut has_grown) = (1, None, false);
        if !self.has_time(streams) {
            seen.cut_short = Some(CutShort::TimeOver);
            return;
        }
        loop {
            news(DiagnoseNews::Holding(streams));
            let (level, found, grows) = self.hold(streams, seen).await;
            news(DiagnoseNews::Level(&level));
            let partly = is_partly_answered(&level);
            seen.levels.push(level);
            let place = seen.levels.len() - 1;
            seen.cut_short = self.cut_short();
            if seen.cut_short.is_some() {
                return;
            }
            let next = (streams * self.step()).min(seen.streams_max);
            let has_time = self.has_time(next);
            let may_go_on = streams < seen.streams_max && has_time;
            let go_on = match found {
                State::Good => {
                    first_bad = None;
                    true
                }
                // Other loops are still free.
                _ if partly && streams < PARTLY_MAX => true,
                // A pool that is just full lets all streams flow and only its checks wait: more streams show how many
                // it has.
                State::ChecksLate => first_bad.is_none(),
                // A pool that grows has nearly as many threads by now: more streams show for how long it does.
                State::StreamsSuffer => grows && !std::mem::replace(&mut has_grown, true),
            };
            if found != State::Good {
                first_bad.get_or_insert(place);
            }
            if !(go_on && may_go_on) {
                if let Some(since) = first_bad {
                    let hold = if found == State::StreamsSuffer { WATCH } else { WATCH_CHECKS };
                    news(DiagnoseNews::Watching(streams, hold));
                    self.watch(seen, place, since, hold).await;
                    seen.levels.get(place).into_iter().for_each(|level| news(DiagnoseNews::Level(level)));
                    seen.cut_short = self.cut_short();
                    if seen.cut_short.is_none() && may_go_on && self.has_time(next) && has_passed(seen) {
                        (seen.collapse, first_bad, streams) = (None, None, next);
                        continue;
                    }
                } else if streams < seen.streams_max {
                    seen.cut_short = Some(CutShort::TimeOver);
                }
                return;
            }
            streams = next;
        }
    }

    /// Whether more streams would show nothing.
    fn cut_short(&self) -> Option<CutShort> {
        /// What a proxy answers in place of a server that it cannot reach.
        const BAD_GATEWAY: u16 = 502;
        let (began, lately) = (Duration::ZERO, self.meter.origin.elapsed().saturating_sub(HOLD));
        let (counts, probes) = (self.held.counts(), self.meter.probes);
        match () {
            () if counts.not_sent > 0 => Some(CutShort::OwnLimit),
            () if probes.refused(began) => Some(CutShort::ServerGone),
            () if probes.share_of(BAD_GATEWAY, lately) > 0.5 => Some(CutShort::ServerGoneBehindProxy),
            () if counts.used_up => Some(CutShort::RequestsUsedUp),
            () => None,
        }
    }

    /// Whether there is time to hold this many streams, and to watch a collapse there.
    fn has_time(&self, streams: u64) -> bool {
        Instant::now() + self.meter.takes(streams, HOLD) + WATCH < self.until
    }

    /// By how much the number of streams is multiplied: by more where each level takes long, because streams begin late.
    fn step(&self) -> u64 {
        match self.meter.first_chunk.as_secs() {
            0 => 2,
            1 | 2 => 4,
            _ => 8,
        }
    }

    /// Holds this many streams. Where the server is not as when idle, it is measured once more: something else may have
    /// been busy for a moment. Its stalls are added to `seen`. Returns what was seen of that number of streams, the state of
    /// the server, and whether streams that waited began meanwhile although none had ended.
    async fn hold(&mut self, streams: u64, seen: &mut Seen) -> (DiagnosisLevel, State, bool) {
        const TRIES: usize = 4;
        let (from, lost_before) = (self.meter.origin.elapsed(), self.held.counts().lost());
        let mut level = self.meter.hold(self.held, streams, HOLD).await;
        let (at_first, ended) = (level.clone(), self.held.counts().ended);
        for tries in 1..TRIES {
            let found = state(seen, &level);
            let silences = self.meter.probes.silences_since(from);
            let time_left = Instant::now() + WATCH < self.until;
            if found == State::Good
                || !time_left
                || (tries > 1 && silences.is_empty() && !self.meter.probes.are_silent())
            {
                break;
            }
            level = self.meter.measure(self.held, streams, HOLD, lost_before).await;
        }
        let found = state(seen, &level);
        self.add_stalls(seen, from, streams);
        let grows = at_first.waiting > 0 && level.started > at_first.started && self.held.counts().ended == ended;
        (level, found, grows)
    }

    /// Adds the times since `from` in which nothing was answered.
    fn add_stalls(&self, seen: &mut Seen, from: Duration, streams: u64) {
        let silences = self.meter.probes.silences_since(from).into_iter();
        seen.stalls.extend(silences.map(|length| Stall { streams, length }));
    }

    /// Watches what happens at the collapse.
    async fn watch(&mut self, seen: &mut Seen, place: usize, first_bad: usize, hold: Duration) {
        let Some(level) = seen.levels.get_mut(place) else { return };
        let (from, streams) = (self.meter.origin.elapsed(), level.streams);
        let mut collapse = self.meter.watch(self.held, level, hold).await;
        self.add_stalls(seen, from, streams);
        (collapse.level, collapse.first_bad) = (place, first_bad);
        seen.collapse = Some(collapse);
    }
}

/// Whether what was late has become as when idle while it was watched, without an end of streams: a pool has grown, or
/// something else was busy. More streams show which.
fn has_passed(seen: &Seen) -> bool {
    let is_good = seen.worst().is_some_and(|level| state(seen, level) == State::Good);
    is_good && !seen.collapse.as_ref().is_some_and(Collapse::rises_steadily)
}
