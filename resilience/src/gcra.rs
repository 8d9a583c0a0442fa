//! The generic cell rate algorithm: the decision of a rate limit, with time as an input.

use std::num::NonZeroU64;
use std::time::Duration;

use tokio::time::Instant;

use crate::rate::{Rate, duration_of};

/// The decision of a rate limit and nothing else: no lock, no waiting, no clock. Time is an input.
///
/// This is the generic cell rate algorithm (ITU-T recommendation I.371, there called virtual scheduling): a token
/// bucket that holds `burst` units, starts full and refills evenly, stored as one number, the time at which it will be
/// full again. Taking units moves that time into the future, refunding them moves it back. Asking changes nothing.
///
/// In any window of time `W`, the units taken and charged, less those refunded, are at most `burst + rate × W` at every
/// moment at which units are taken. To stay within a strict quota of `q` per interval, use the rate `q - burst` per
/// interval.
///
/// ```
/// use std::num::NonZeroU64;
/// use std::time::Duration;
/// use resilience::{Gcra, TryTakeError};
/// use tokio::time::Instant;
///
/// let start = Instant::now();
/// let two = NonZeroU64::new(2).unwrap();
/// let mut bucket = Gcra::new("10/1s".parse().unwrap(), two, start);
/// assert_eq!(bucket.try_take(2, start), Ok(()));
/// let ready_at = start + Duration::from_millis(100);
/// assert_eq!(bucket.try_take(1, start), Err(TryTakeError::NotYet { ready_at }));
/// assert_eq!(bucket.try_take(1, ready_at), Ok(()));
/// ```
#[derive(Debug, Clone)]
pub struct Gcra {
    rate: Rate,
    burst: u64,
    origin: Instant,
    /// When the bucket is full again, in ticks since the origin: the "theoretical arrival time". A tick is a nanosecond
    /// divided by the rate's amount, so that one unit is as many ticks as the interval has nanoseconds and no rate is
    /// ever rounded.
    full_at: u128,
}

/// Why nothing was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TryTakeError {
    /// Not enough units yet.
    #[error("the rate allows no more now")]
    NotYet {
        /// When there will be enough, if no one else takes any before.
        ready_at: Instant,
    },
    /// Never possible.
    #[error(transparent)]
    ExceedsBurst(#[from] ExceedsBurst),
}

/// More than a full bucket holds, so no wait is long enough.
///
/// To allow it nevertheless, take the burst and charge the rest; the guarantee is then exceeded by that rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cost of {cost} exceeds the burst of {burst} and can never be taken")]
pub struct ExceedsBurst {
    /// Units asked for.
    pub cost: u64,
    /// Most units that can be asked for.
    pub burst: u64,
}

/// The last tick. The cost of any call can be added to it without overflow.
const FAR: u128 = u128::MAX / 2;

impl Gcra {
    /// A full bucket. A burst of 1 spaces units evenly; a burst as large as the quota allows nearly two quotas in one
    /// interval.
    #[must_use]
    pub fn new(rate: Rate, burst: NonZeroU64, now: Instant) -> Self {
        Gcra { rate, burst: burst.get(), origin: now, full_at: 0 }
    }

    /// When `cost` units can be taken, if no one else takes any before; a time in the past means now. Takes nothing: a
    /// caller that also needs something else, such as a permit, asks here first and takes once it has everything.
    ///
    /// # Errors
    /// [`ExceedsBurst`].
    pub fn ready_at(&self, cost: u64) -> Result<Instant, ExceedsBurst> {
        if cost > self.burst {
            return Err(ExceedsBurst { cost, burst: self.burst });
        }
        let ready_at = (self.full_at + self.ticks_of(cost)).saturating_sub(self.ticks_of(self.burst));
        Ok(self.instant_of(ready_at))
    }

    /// When `cost` units can be taken after others have taken `ahead` units, each as soon as possible; `now` at the
    /// earliest.
    #[must_use]
    pub fn ready_behind(&self, ahead: u64, cost: u64, now: Instant) -> Instant {
        let taken_by = self.full_at.max(self.ticks_at(now)).saturating_add(self.ticks_of(ahead.saturating_add(cost)));
        self.instant_of(taken_by.min(FAR).saturating_sub(self.ticks_of(self.burst))).max(now)
    }

    /// How many units can be taken until `until`, from `now` on, one at a time and each as soon as possible.
    #[must_use]
    pub fn units_until(&self, until: Instant, now: Instant) -> u64 {
        let full_by = self.ticks_at(until.max(now)) + self.ticks_of(self.burst);
        let taken_by = self.full_at.max(self.ticks_at(now));
        u64::try_from(full_by.saturating_sub(taken_by) / self.ticks_of(1)).unwrap_or(u64::MAX)
    }

    /// Takes `cost` units if they are available.
    ///
    /// # Errors
    /// [`TryTakeError`]. The bucket is then unchanged.
    pub fn try_take(&mut self, cost: u64, now: Instant) -> Result<(), TryTakeError> {
        let ready_at = self.ready_at(cost)?;
        if now < ready_at {
            return Err(TryTakeError::NotYet { ready_at });
        }
        self.charge(cost, now);
        Ok(())
    }

    /// Takes `units` whether or not they are available, for something that cost more than was taken for it. What the
    /// bucket does not hold becomes debt, and later callers wait for it.
    pub fn charge(&mut self, units: u64, now: Instant) {
        // A full bucket refills no further.
        let full_at = self.full_at.max(self.ticks_at(now));
        self.full_at = full_at.saturating_add(self.ticks_of(units)).min(FAR);
    }

    /// Puts back `units` that were taken and not used. They can be taken again at once. Beyond a full bucket they are
    /// lost.
    ///
    /// Refunding units taken long ago can allow more than the burst within a short time; over the whole time the rate
    /// still holds. With close estimates the refunds are small.
    pub fn refund(&mut self, units: u64) {
        self.full_at = self.full_at.saturating_sub(self.ticks_of(units));
    }

    /// When the bucket will be full. From then on it is as good as new.
    #[must_use]
    pub fn full_at(&self) -> Instant {
        self.instant_of(self.full_at)
    }

    fn ticks_of(&self, units: u64) -> u128 {
        u128::from(units) * self.rate.interval().as_nanos()
    }

    fn ticks_at(&self, at: Instant) -> u128 {
        let nanos = at.saturating_duration_since(self.origin).as_nanos();
        nanos.saturating_mul(u128::from(self.rate.amount())).min(FAR)
    }

    /// Rounded up, so that the tick has passed at the returned instant.
    fn instant_of(&self, ticks: u128) -> Instant {
        const THIRTY_YEARS: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
        let since = duration_of(ticks.div_ceil(u128::from(self.rate.amount())));
        self.origin.checked_add(since).unwrap_or_else(|| self.origin + THIRTY_YEARS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn bucket(rate: &str, burst: u64) -> (Gcra, Instant) {
        let start = Instant::now();
        (Gcra::new(rate.parse().unwrap(), NonZeroU64::new(burst).unwrap(), start), start)
    }

    #[test]
    fn a_burst_of_one_spaces_evenly_and_gains_nothing_from_a_pause() {
        let (mut bucket, start) = bucket("20/1s", 1);
        for at in [0, 50, 1000, 1050] {
            assert_eq!(bucket.try_take(1, start + at * MS), Ok(()), "at {at} ms");
            let ready_at = start + (at + 50) * MS;
            assert_eq!(bucket.try_take(1, start + at * MS), Err(TryTakeError::NotYet { ready_at }));
        }
    }

    #[test]
    fn asking_takes_nothing() {
        let (bucket, start) = bucket("1/1m", 1);
        for _ in 0..3 {
            assert_eq!(bucket.ready_at(1), Ok(start));
        }
    }

    #[test]
    fn refunds_and_charges_correct_a_reserved_estimate() {
        let (mut bucket, start) = bucket("1000/1s", 500);
        bucket.try_take(500, start).unwrap();
        bucket.refund(300);
        assert_eq!(bucket.try_take(300, start), Ok(()), "unused units are available again");
        bucket.charge(700, start);
        assert_eq!(bucket.ready_at(1), Ok(start + 701 * MS), "the debt comes first");
        bucket.refund(u64::MAX);
        assert_eq!(bucket.try_take(500, start), Ok(()));
        assert!(bucket.try_take(1, start).is_err(), "a full bucket takes no refund");
    }

    #[test]
    fn more_than_the_burst_is_rejected_at_once() {
        let (mut bucket, start) = bucket("1000/1s", 10);
        let error = ExceedsBurst { cost: 11, burst: 10 };
        assert_eq!(bucket.try_take(11, start), Err(TryTakeError::ExceedsBurst(error)));
        assert_eq!(bucket.ready_at(11), Err(error));
        assert_eq!(bucket.try_take(10, start), Ok(()));
    }

    #[test]
    fn huge_amounts_do_not_overflow() {
        let (mut bucket, start) = bucket("1/24h", u64::MAX);
        bucket.try_take(u64::MAX, start).unwrap();
        for _ in 0..400_000 {
            bucket.charge(u64::MAX, start);
        }
        assert!(bucket.ready_at(u64::MAX).unwrap() > start + Duration::from_secs(1_000_000));
        assert!(bucket.try_take(1, start + Duration::from_secs(1_000_000)).is_err());
    }
}
