//! A circuit breaker.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::invalid_setting::InvalidSetting;

/// A circuit breaker: stops calling a service that keeps failing, and tries it from time to time with a single call.
///
/// After Michael Nygard ("Release It!", 2007). *Closed*: calls pass, and failures in a row are counted. *Open*, after
/// too many of them: no call passes. *Half-open*, some time later: one call at a time passes, the probe. Its success
/// closes the breaker, its failure opens it again.
///
/// Use it only if needed: it can turn a service that fails half of its calls into one that fails all of them. Permits, a
/// queue timeout and a retry budget bound the damage without that. What a breaker adds is an immediate error where each
/// caller would otherwise wait for a timeout.
///
/// Report as a failure only what says something about the service: a timeout, a lost connection, a 5xx. A call that was
/// rejected because of its own request, or whose client disconnected, says nothing: drop its guard.
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
/// use resilience::Breaker;
///
/// let breaker = Breaker::new(NonZeroU32::new(2).unwrap(), Duration::from_secs(10)).unwrap();
/// breaker.try_enter().unwrap().failure();
/// breaker.try_enter().unwrap().failure();
/// let open = breaker.try_enter().unwrap_err();
/// assert!(open.retry_after <= Duration::from_secs(10));
/// ```
#[derive(Debug, Clone)]
pub struct Breaker {
    shared: Arc<Shared>,
}

/// The breaker is open: the call was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the service has failed too often and is not called for now")]
pub struct BreakerOpen {
    /// Time until the next probe; zero while one is in flight, because it may end at any moment.
    pub retry_after: Duration,
}

/// A breaker's state and counters, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerReport {
    /// The state that a call would find now.
    pub state: BreakerState,
    /// How often it has opened, from closed or after a probe.
    pub opened: u64,
    /// Calls rejected.
    pub rejected: u64,
}

/// The state of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// All calls pass.
    Closed,
    /// No call passes.
    Open,
    /// One call at a time passes.
    HalfOpen,
}

#[derive(Debug)]
struct Shared {
    failures_to_open: NonZeroU32,
    open_for: Duration,
    /// A std mutex: it is held for a few comparisons, never across an `.await`.
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// How often the state has changed. A guard remembers the generation it was made in, and its verdict does not count
    /// in another one: a call that began before the outage says nothing about its end.
    generation: u64,
    opened: u64,
    rejected: u64,
}

#[derive(Debug)]
enum State {
    Closed { failures_in_a_row: u32 },
    Open { until: Instant },
    HalfOpen { probing: bool },
}

impl Breaker {
    /// A closed breaker. After `failures_to_open` failures in a row it opens for `open_for`: over 0, up to 1 h.
    ///
    /// # Errors
    /// [`InvalidSetting`] if `open_for` is out of range.
    pub fn new(failures_to_open: NonZeroU32, open_for: Duration) -> Result<Self, InvalidSetting> {
        const HOUR: Duration = Duration::from_secs(60 * 60);
        let allowed = !open_for.is_zero() && open_for <= HOUR;
        InvalidSetting::require(allowed, "open_for", open_for, "over 0s, up to 1h")?;
        let state = State::Closed { failures_in_a_row: 0 };
        let inner = Mutex::new(Inner { state, generation: 0, opened: 0, rejected: 0 });
        Ok(Breaker { shared: Arc::new(Shared { failures_to_open, open_for, inner }) })
    }

    /// Lets a call pass or rejects it. Never waits.
    ///
    /// # Errors
    /// [`BreakerOpen`].
    pub fn try_enter(&self) -> Result<BreakerGuard, BreakerOpen> {
        let mut inner = self.shared.lock();
        let now = Instant::now();
        if matches!(inner.state, State::Open { until } if until <= now) {
            inner.change_to(State::HalfOpen { probing: false });
        }
        let retry_after = match &mut inner.state {
            State::Open { until } => *until - now,
            State::HalfOpen { probing: true } => Duration::ZERO,
            State::HalfOpen { probing } => {
                *probing = true;
                return Ok(self.guard(inner.generation));
            }
            State::Closed { .. } => return Ok(self.guard(inner.generation)),
        };
        inner.rejected += 1;
        Err(BreakerOpen { retry_after })
    }

    /// Its state and counters now.
    #[must_use]
    pub fn report(&self) -> BreakerReport {
        let inner = self.shared.lock();
        let state = match inner.state {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { until } if Instant::now() < until => BreakerState::Open,
            State::Open { .. } | State::HalfOpen { .. } => BreakerState::HalfOpen,
        };
        BreakerReport { state, opened: inner.opened, rejected: inner.rejected }
    }

    fn guard(&self, generation: u64) -> BreakerGuard {
        BreakerGuard { shared: Arc::clone(&self.shared), generation, verdict: None }
    }
}

/// One call that passed. Dropped without a verdict it counts as neither success nor failure; if it was the probe, the
/// next call is the probe.
#[derive(Debug)]
#[must_use = "dropping it ends the call without a verdict"]
pub struct BreakerGuard {
    shared: Arc<Shared>,
    generation: u64,
    verdict: Option<Verdict>,
}

#[derive(Debug, Clone, Copy)]
enum Verdict {
    Success,
    Failure,
}

impl BreakerGuard {
    /// The service answered.
    pub fn success(mut self) {
        self.verdict = Some(Verdict::Success);
    }

    /// The service failed.
    pub fn failure(mut self) {
        self.verdict = Some(Verdict::Failure);
    }
}

impl Drop for BreakerGuard {
    fn drop(&mut self) {
        self.shared.finish(self.generation, self.verdict);
    }
}

impl Shared {
    fn finish(&self, generation: u64, verdict: Option<Verdict>) {
        let mut inner = self.lock();
        let now = Instant::now();
        if inner.generation != generation {
            return;
        }
        match (&mut inner.state, verdict) {
            (State::Closed { failures_in_a_row }, Some(Verdict::Success)) => *failures_in_a_row = 0,
            (State::Closed { failures_in_a_row }, Some(Verdict::Failure)) => {
                *failures_in_a_row += 1;
                if *failures_in_a_row >= self.failures_to_open.get() {
                    inner.open_until(now + self.open_for);
                }
            }
            (State::HalfOpen { .. }, Some(Verdict::Success)) => {
                inner.change_to(State::Closed { failures_in_a_row: 0 });
            }
            (State::HalfOpen { .. }, Some(Verdict::Failure)) => inner.open_until(now + self.open_for),
            (State::HalfOpen { probing }, None) => *probing = false,
            // No call passes while it is open, so none can end in that generation.
            (State::Closed { .. }, None) | (State::Open { .. }, _) => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it is held, so a poisoned state is still consistent.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn open_until(&mut self, until: Instant) {
        self.opened += 1;
        self.change_to(State::Open { until });
    }

    fn change_to(&mut self, state: State) {
        self.generation += 1;
        self.state = state;
    }
}

#[cfg(test)]
mod tests;
