//! When a stream that is open still has stalled.

use std::time::{Duration, Instant};

/// A stream has stalled when it has been silent for so many times its own pace.
const PACES: u32 = 10;

/// A shorter silence is none, however fast the tokens came before: a machine may be busy.
const SILENCE_MIN: Duration = Duration::from_millis(500);

/// Whether a stream of this pace has stalled when it has been silent for so long.
#[must_use]
pub(super) fn is_stalled(silent: Duration, pace: Duration) -> bool {
    silent > SILENCE_MIN.max(pace * PACES)
}

/// The tokens of one stream, as far as its pace goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenTimes {
    sent: Instant,
    /// When the first and the last token came, and how many came.
    tokens: Option<(Instant, Instant, u32)>,
}

impl TokenTimes {
    /// A stream that is asked for now.
    pub(super) fn sent(sent: Instant) -> Self {
        TokenTimes { sent, tokens: None }
    }

    /// When it was asked for.
    pub(super) fn requested(&self) -> Instant {
        self.sent
    }

    /// Counts a token; says when the one before it came.
    pub(super) fn token(&mut self, now: Instant) -> Option<Instant> {
        let before = self.tokens;
        let (first, count) = before.map_or((now, 0), |(first, _, count)| (first, count));
        self.tokens = Some((first, now, count.saturating_add(1)));
        before.map(|(_, last, _)| last)
    }

    /// Whether there was a token.
    pub(super) fn has_token(&self) -> bool {
        self.tokens.is_some()
    }

    /// Whether it has fallen silent: ten times as long without a token as one took before, on the mean.
    /// None while there was none: how long that may take is for the other streams to say.
    pub(super) fn is_silent(&self, now: Instant) -> Option<bool> {
        let (first, last, count) = self.tokens?;
        // With one token there is no gap yet, but that token has its own.
        let pace = if count > 1 { (last - first) / (count - 1) } else { first - self.sent };
        Some(is_stalled(now - last, pace))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn a_stream_is_silent_after_ten_of_its_own_gaps() {
        let sent = Instant::now();
        let mut pace = TokenTimes::sent(sent);
        assert_eq!((pace.is_silent(sent + MS(60_000)), pace.has_token()), (None, false));
        assert_eq!(pace.token(sent + MS(100)), None);
        // The first token took 100 ms, so a second is waited for.
        assert_eq!(pace.is_silent(sent + MS(1_000)), Some(false));
        assert_eq!(pace.is_silent(sent + MS(1_200)), Some(true));
        assert_eq!(pace.token(sent + MS(350)), Some(sent + MS(100)));
        pace.token(sent + MS(600));
        assert_eq!(pace.is_silent(sent + MS(600 + 2_500)), Some(false));
        assert_eq!(pace.is_silent(sent + MS(600 + 2_501)), Some(true));
    }

    #[test]
    fn a_short_silence_is_none_however_fast_the_tokens_came() {
        let sent = Instant::now();
        let mut pace = TokenTimes::sent(sent);
        (1..100).for_each(|ms| _ = pace.token(sent + MS(ms)));
        assert_eq!(pace.is_silent(sent + MS(99 + 500)), Some(false));
        assert_eq!(pace.is_silent(sent + MS(99 + 501)), Some(true));
    }
}
