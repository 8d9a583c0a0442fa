//! When the tokens of one answer are due.

use std::ops::Range;
use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use crate::answer_spec::AnswerSpec;
use crate::faults::Ending;
use crate::latency::Delay;

/// Most tokens in one step. More than one is due only when the vendor is behind schedule; the limit keeps one
/// stream from blocking the others.
const TOKENS_PER_STEP_MAX: u32 = 64;

/// Least time from the last token to the fault after it, so that the token is sent before.
const ENDING_GAP_MIN: Duration = Duration::from_millis(1);

/// When the tokens of one answer are due.
///
/// Each has an absolute due time, that of the previous one plus a random delay: a late wake-up delays one token,
/// not all that follow.
#[derive(Debug, Clone)]
pub(crate) struct TokenSchedule {
    rng: Rng,
    inter_token: Delay,
    /// Tokens until the end, or until a fault.
    until: u32,
    ending: Option<Ending>,
    generated: u32,
    due: Instant,
}

impl TokenSchedule {
    /// Starts at `now`. Delays are multiplied by `slowdown`.
    pub(crate) fn start(spec: &AnswerSpec, mut rng: Rng, now: Instant, slowdown: f64) -> Self {
        let ending = spec.ending.filter(|(after, _)| *after <= spec.tokens);
        TokenSchedule {
            due: now + stretch(spec.ttft.draw(&mut rng), slowdown),
            rng,
            inter_token: spec.inter_token,
            until: ending.map_or(spec.tokens, |(after, _)| after),
            ending: ending.map(|(_, ending)| ending),
            generated: 0,
        }
    }

    /// When the next token is due, or the fault in its place.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// How the answer ends, if it ends in place of the next token.
    pub(crate) fn ending(&self) -> Option<Ending> {
        self.ending.filter(|_| self.generated == self.until)
    }

    /// Whether the answer is complete.
    pub(crate) fn is_over(&self) -> bool {
        self.generated == self.until && self.ending.is_none()
    }

    /// Number of tokens generated so far.
    pub(crate) fn generated(&self) -> u32 {
        self.generated
    }

    /// Takes the tokens that are due by `now`. Returns their numbers, from 0.
    pub(crate) fn take_due(&mut self, now: Instant, slowdown: f64) -> Range<u32> {
        let first = self.generated;
        let end = self.until.min(first.saturating_add(TOKENS_PER_STEP_MAX));
        while self.generated < end && self.due <= now {
            self.generated += 1;
            self.due += stretch(self.inter_token.draw(&mut self.rng), slowdown);
        }
        if self.ending().is_some() {
            self.due = self.due.max(now + ENDING_GAP_MIN);
        }
        first..self.generated
    }
}

fn stretch(delay: Duration, slowdown: f64) -> Duration {
    if slowdown == 1.0 { delay } else { delay.mul_f64(slowdown) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: Duration = Duration::from_millis(10);

    fn spec(tokens: u32) -> AnswerSpec {
        AnswerSpec {
            tokens,
            by_limit: false,
            ttft: Delay::constant(GAP * 5),
            inter_token: Delay::constant(GAP),
            ending: None,
            ignore_disconnect: false,
        }
    }

    fn begin(spec: &AnswerSpec) -> (TokenSchedule, Instant) {
        let now = Instant::now();
        (TokenSchedule::start(spec, Rng::with_seed(1), now, 1.0), now)
    }

    #[test]
    fn a_late_step_does_not_delay_later_tokens() {
        let (mut schedule, start) = begin(&spec(10));
        assert_eq!(schedule.take_due(start + GAP * 4, 1.0), 0..0);
        assert_eq!(schedule.take_due(start + GAP * 5, 1.0), 0..1);
        assert_eq!(schedule.take_due(start + GAP * 9, 1.0), 1..5, "all that were due");
        assert_eq!(schedule.due(), start + GAP * 10, "still on the original schedule");
    }

    #[test]
    fn a_late_step_has_a_limited_number_of_tokens() {
        let (mut schedule, start) = begin(&spec(1_000));
        assert_eq!(schedule.take_due(start + GAP * 10_000, 1.0), 0..TOKENS_PER_STEP_MAX);
    }

    #[test]
    fn an_ending_replaces_the_next_token() {
        let (mut schedule, start) = begin(&AnswerSpec { ending: Some((2, Ending::Reset)), ..spec(10) });
        assert_eq!(schedule.take_due(start + GAP * 6, 1.0), 0..2);
        assert_eq!((schedule.ending(), schedule.is_over()), (Some(Ending::Reset), false));
        assert_eq!(schedule.due(), start + GAP * 7);
    }

    #[test]
    fn an_ending_after_the_last_token_never_happens() {
        let (mut schedule, start) = begin(&AnswerSpec { ending: Some((11, Ending::Reset)), ..spec(10) });
        schedule.take_due(start + GAP * 1_000, 1.0);
        assert_eq!((schedule.ending(), schedule.is_over()), (None, true));
        let (mut schedule, start) = begin(&AnswerSpec { ending: Some((10, Ending::Reset)), ..spec(10) });
        schedule.take_due(start + GAP * 1_000, 1.0);
        assert_eq!(schedule.ending(), Some(Ending::Reset), "in place of the regular end");
    }

    #[test]
    fn slowdown_multiplies_delays() {
        let now = Instant::now();
        let mut schedule = TokenSchedule::start(&spec(10), Rng::with_seed(1), now, 2.0);
        assert_eq!(schedule.due(), now + GAP * 10);
        schedule.take_due(schedule.due(), 3.0);
        assert_eq!(schedule.due(), now + GAP * 13);
    }

    #[test]
    fn the_schedule_depends_on_the_seed() {
        let spec = AnswerSpec { inter_token: Delay { jitter: 0.5, ..Delay::constant(GAP) }, ..spec(100) };
        let now = Instant::now();
        let end = |seed| {
            let mut schedule = TokenSchedule::start(&spec, Rng::with_seed(seed), now, 1.0);
            while !schedule.is_over() {
                schedule.take_due(schedule.due(), 1.0);
            }
            schedule.due()
        };
        assert_eq!(end(1), end(1));
        assert_ne!(end(1), end(2));
    }
}
