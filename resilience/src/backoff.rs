//! How long to wait before a retry: exponential backoff with full jitter.

use std::time::Duration;

/// Exponential backoff with full jitter.
///
/// The wait is uniformly distributed between zero and a ceiling that doubles with each retry:
/// `0..=min(cap, base × 2^retry)` (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture
/// Blog, 2015). Without jitter, callers that failed together come back together.
///
/// The random number generator is an argument: the same seed gives the same waits.
///
/// ```
/// use std::time::Duration;
/// use resilience::Backoff;
///
/// let backoff = Backoff { base: Duration::from_millis(500), cap: Duration::from_secs(8) };
/// let mut rng = fastrand::Rng::with_seed(1);
/// assert!(backoff.delay(0, None, &mut rng) <= Duration::from_millis(500));
/// assert!(backoff.delay(9, None, &mut rng) <= Duration::from_secs(8));
///
/// let asked = Duration::from_secs(2);
/// assert!(backoff.delay(0, Some(asked), &mut rng) >= asked);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The ceiling before the first retry. With zero no retry waits.
    pub base: Duration,
    /// The highest ceiling, at most 2^64 ns (584 years).
    pub cap: Duration,
}

impl Default for Backoff {
    /// 0.5 s to 8 s, as in OpenAI's and Anthropic's own clients.
    fn default() -> Self {
        Backoff { base: Duration::from_millis(500), cap: Duration::from_secs(8) }
    }
}

impl Backoff {
    /// The longest wait before a retry after `retries_made` others, without a `retry_after`.
    #[must_use]
    pub fn ceiling(&self, retries_made: u32) -> Duration {
        let factor = 1_u128.checked_shl(retries_made).unwrap_or(u128::MAX);
        let nanos = self.base.as_nanos().saturating_mul(factor).min(self.cap.as_nanos());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// How long to wait before a retry after `retries_made` others.
    ///
    /// `retry_after` is what the service asked for. Jitter is added to it: every caller was given the same time, and
    /// none should come back earlier. It is not capped here; the caller's deadline decides whether there is time for it.
    #[must_use]
    pub fn delay(&self, retries_made: u32, retry_after: Option<Duration>, rng: &mut fastrand::Rng) -> Duration {
        // The ceiling was made from a u64 of nanoseconds.
        let ceiling = self.ceiling(retries_made).as_nanos() as u64;
        let jitter = Duration::from_nanos(rng.u64(0..=ceiling));
        retry_after.unwrap_or(Duration::ZERO).saturating_add(jitter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        let backoff = Backoff { base: 500 * MS, cap: 8000 * MS };
        let ceilings = [0, 1, 2, 3, 4, 5, 64, u32::MAX].map(|retries| backoff.ceiling(retries).as_millis());
        assert_eq!(ceilings, [500, 1000, 2000, 4000, 8000, 8000, 8000, 8000]);
    }

    #[test]
    fn the_same_seed_gives_the_same_waits() {
        let waits = |seed| {
            let mut rng = fastrand::Rng::with_seed(seed);
            [0, 1, 2, 3].map(|retries| Backoff::default().delay(retries, None, &mut rng))
        };
        assert_eq!(waits(7), waits(7));
        assert_ne!(waits(7), waits(8));
    }

    #[test]
    fn retries_are_spread_evenly_over_the_whole_range() {
        let backoff = Backoff { base: 1000 * MS, cap: 1000 * MS };
        for retry_after in [None, Some(2000 * MS)] {
            let mut rng = fastrand::Rng::with_seed(1);
            let mut tenths = [0; 10];
            for _ in 0..10_000 {
                let wait = backoff.delay(0, retry_after, &mut rng) - retry_after.unwrap_or(Duration::ZERO);
                tenths[(wait.as_millis() / 100).min(9) as usize] += 1;
            }
            // A thousand each, with a standard deviation of thirty.
            assert!(tenths.iter().all(|count| (800..1200).contains(count)), "{tenths:?}");
        }
    }

    /// Durations of every order of magnitude, and the longest possible.
    fn duration() -> impl Strategy<Value = Duration> {
        let some = (any::<u64>(), 0_u32..64).prop_map(|(nanos, shift)| Duration::from_nanos(nanos >> shift));
        prop_oneof![9 => some, 1 => Just(Duration::MAX)]
    }

    proptest! {
        /// Against the plainest form of the rule: repeated doubling.
        #[test]
        fn a_wait_is_retry_after_plus_jitter_up_to_the_ceiling(
            base in duration(), cap in duration(), retries in 0_u32..200,
            retry_after in duration(), seed: u64,
        ) {
            let backoff = Backoff { base, cap };
            let limit = cap.min(Duration::from_nanos(u64::MAX));
            let ceiling = (0..retries).fold(base.min(limit), |ceiling, _| ceiling.saturating_mul(2).min(limit));
            prop_assert_eq!(backoff.ceiling(retries), ceiling);

            let delay = |retry_after| backoff.delay(retries, retry_after, &mut fastrand::Rng::with_seed(seed));
            let jitter = delay(None);
            prop_assert!(jitter <= ceiling, "{:?}", jitter);
            prop_assert_eq!(delay(Some(retry_after)), retry_after.saturating_add(jitter));
        }
    }
}
