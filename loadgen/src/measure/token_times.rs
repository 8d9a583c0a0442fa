//! The times of a stream's tokens, and whether it has stalled.

use std::time::{Duration, Instant};

/// A stream has stalled when it has been silent for this many times its own token gap.
const GAPS: u32 = 10;

/// A shorter silence does not count, however fast the tokens came: the machine may be busy.
const SILENCE_MIN: Duration = Duration::from_millis(500);

/// Whether a stream with this token gap has stalled after this silence.
#[must_use]
pub(super) fn is_stalled(silent: Duration, gap: Duration) -> bool {
    silent > SILENCE_MIN.max(gap * GAPS)
}

/// When the tokens of one stream arrived.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenTimes {
    sent: Instant,
    /// When the first and the last token arrived, and how many.
    tokens: Option<(Instant, Instant, u32)>,
}

impl TokenTimes {
    /// A stream whose request is sent now.
    pub(super) fn sent(sent: Instant) -> Self {
        TokenTimes { sent, tokens: None }
    }

    /// When its request was sent.
    pub(super) fn requested(&self) -> Instant {
        self.sent
    }

    /// Records a token and returns when the previous one arrived.
    pub(super) fn token(&mut self, now: Instant) -> Option<Instant> {
        let before = self.tokens;
        let (first, count) = before.map_or((now, 0), |(first, _, count)| (first, count));
        self.tokens = Some((first, now, count.saturating_add(1)));
        before.map(|(_, last, _)| last)
    }

    /// When the first token arrived.
    pub(super) fn first(&self) -> Option<Instant> {
        self.tokens.map(|(first, ..)| first)
    }

    /// The mean time between two tokens; `None` if there are no two.
    pub(super) fn mean_gap(&self) -> Option<Duration> {
        let (first, last, count) = self.tokens.filter(|(.., count)| *count > 1)?;
        Some((last - first) / (count - 1))
    }

    /// Whether there was a token.
    pub(super) fn has_token(&self) -> bool {
        self.tokens.is_some()
    }

    /// Whether it has gone silent: for over ten times its mean token gap. `None` without a token: that depends on the
    /// other streams.
    pub(super) fn is_silent(&self, now: Instant) -> Option<bool> {
        let (first, last, _) = self.tokens?;
        // With one token there is no gap yet; the time to that token is used.
        let gap = self.mean_gap().unwrap_or(first - self.sent);
        Some(is_stalled(now - last, gap))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn a_stream_is_silent_after_ten_gaps() {
        let sent = Instant::now();
        let mut gap = TokenTimes::sent(sent);
        assert_eq!((gap.is_silent(sent + MS(60_000)), gap.has_token()), (None, false));
        assert_eq!(gap.token(sent + MS(100)), None);
        // The first token took 100 ms, so the limit is a second.
        assert_eq!(gap.is_silent(sent + MS(1_000)), Some(false));
        assert_eq!(gap.is_silent(sent + MS(1_200)), Some(true));
        assert_eq!(gap.token(sent + MS(350)), Some(sent + MS(100)));
        gap.token(sent + MS(600));
        assert_eq!(gap.is_silent(sent + MS(600 + 2_500)), Some(false));
        assert_eq!(gap.is_silent(sent + MS(600 + 2_501)), Some(true));
    }

    #[test]
    fn a_short_silence_is_not_a_stall() {
        let sent = Instant::now();
        let mut gap = TokenTimes::sent(sent);
        (1..100).for_each(|ms| _ = gap.token(sent + MS(ms)));
        assert_eq!(gap.is_silent(sent + MS(99 + 500)), Some(false));
        assert_eq!(gap.is_silent(sent + MS(99 + 501)), Some(true));
    }
}
