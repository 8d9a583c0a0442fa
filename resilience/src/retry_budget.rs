//! A limit on retries as a share of all calls.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::invalid_setting::InvalidSetting;
use crate::window::Window;

/// Limits retries to a share of all calls.
///
/// Three attempts per call are three times the load at the very moment at which the service is in trouble, and can keep
/// it there after the cause has gone. A budget makes that 1.2 times, whatever each caller is allowed. One budget is for
/// all callers of a service; clones share it.
///
/// It counts over a sliding time to live: at each retry, the retries within it are at most
/// `reserve × ttl + share × calls`. The rule and the other two defaults are those of Finagle (`RetryBudget`, 2016) and
/// tower; their reserve is 10 a second, which at the rates of an LLM would be no limit.
///
/// ```
/// use resilience::{RetryBudgetLimits, RetryBudget};
///
/// let limits = RetryBudgetLimits { share_percent: 20, reserve_per_second: 0, ..RetryBudgetLimits::default() };
/// let budget = RetryBudget::new(limits).unwrap();
/// for _ in 0..10 {
///     budget.note_call();
/// }
/// assert_eq!([budget.try_retry(), budget.try_retry(), budget.try_retry()], [true, true, false]);
/// assert_eq!(budget.rejected(), 1);
/// ```
#[derive(Debug, Clone)]
pub struct RetryBudget {
    limits: RetryBudgetLimits,
    /// A std mutex: it is held for a sum of ten numbers, never across an `.await`.
    spent: Arc<Mutex<Spent>>,
}

/// How much may be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudgetLimits {
    /// How long a call or a retry counts; 1 s to 60 s.
    pub ttl: Duration,
    /// Retries per 100 calls, 0 to 100.
    pub share_percent: u8,
    /// Retries per second, averaged over the time to live, independent of the calls: without it, a service that is called
    /// rarely could never be retried.
    pub reserve_per_second: u32,
}

impl Default for RetryBudgetLimits {
    /// 20 % over 10 s, and one a second.
    fn default() -> Self {
        RetryBudgetLimits { ttl: Duration::from_secs(10), share_percent: 20, reserve_per_second: 1 }
    }
}

#[derive(Debug)]
struct Spent {
    calls: Window,
    retries: Window,
    rejected: u64,
}

impl RetryBudget {
    /// A budget without calls or retries yet.
    ///
    /// # Errors
    /// [`InvalidSetting`] if a limit is out of range.
    pub fn new(limits: RetryBudgetLimits) -> Result<Self, InvalidSetting> {
        let seconds = Duration::from_secs(1)..=Duration::from_secs(60);
        InvalidSetting::require(seconds.contains(&limits.ttl), "ttl", limits.ttl, "1s to 60s")?;
        InvalidSetting::require(limits.share_percent <= 100, "share_percent", limits.share_percent, "0 to 100")?;
        let now = Instant::now();
        let spent = Spent { calls: Window::new(limits.ttl, now), retries: Window::new(limits.ttl, now), rejected: 0 };
        Ok(RetryBudget { limits, spent: Arc::new(Mutex::new(spent)) })
    }

    /// Counts a call: once per call, at its first attempt.
    pub fn note_call(&self) {
        self.spent().calls.add(Instant::now());
    }

    /// Whether the budget allows one more retry. If so, the retry is spent, so ask last: after everything else, such as
    /// the deadline, has allowed it.
    #[must_use]
    pub fn try_retry(&self) -> bool {
        let mut spent = self.spent();
        let now = Instant::now();
        let earned = u128::from(self.limits.share_percent) * u128::from(spent.calls.count(now));
        let with_this_one = u128::from(spent.retries.count(now)) + 1;
        // In hundredths of a retry, so that nothing is rounded.
        let allowed = 100 * with_this_one <= 100 * self.reserve() + earned;
        if allowed {
            spent.retries.add(now);
        } else {
            spent.rejected += 1;
        }
        allowed
    }

    /// Retries rejected since the start.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.spent().rejected
    }

    /// Retries per time to live that need no calls.
    fn reserve(&self) -> u128 {
        u128::from(self.limits.reserve_per_second) * self.limits.ttl.as_millis() / 1000
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        // Nothing panics while it is held, so poisoned counts are still consistent.
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn budget(share_percent: u8, reserve_per_second: u32) -> RetryBudget {
        RetryBudget::new(RetryBudgetLimits { ttl: 10 * SECOND, share_percent, reserve_per_second }).unwrap()
    }

    fn granted(budget: &RetryBudget, asked: usize) -> usize {
        (0..asked).filter(|_| budget.try_retry()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn in_an_outage_attempts_are_1_2_times_the_calls() {
        let budget = budget(20, 0);
        let mut retries = 0;
        for _ in 0..100 {
            for _ in 0..50 {
                budget.note_call();
                retries += granted(&budget, 2);
            }
            advance(SECOND).await;
        }
        assert_eq!(retries, 50 * 100 / 5);
        assert_eq!(budget.rejected(), 2 * 50 * 100 - 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn retries_earned_by_a_call_expire_with_its_time_to_live() {
        let budget = budget(20, 0);
        (0..100).for_each(|_| budget.note_call());
        advance(9 * SECOND).await;
        assert_eq!(granted(&budget, 5), 5);
        advance(SECOND).await;
        assert_eq!(granted(&budget, 5), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_reserve_needs_no_calls_and_refills() {
        let budget = budget(0, 1);
        assert_eq!(granted(&budget, 100), 10);
        advance(10 * SECOND).await;
        assert_eq!(granted(&budget, 100), 10);
    }

    #[test]
    fn a_limit_out_of_range_is_named_in_the_error() {
        let error = |limits| RetryBudget::new(limits).unwrap_err().to_string();
        let default = RetryBudgetLimits::default();
        assert_eq!(error(RetryBudgetLimits { ttl: Duration::ZERO, ..default }), "ttl is 0ns, expected 1s to 60s");
        assert_eq!(error(RetryBudgetLimits { ttl: 61 * SECOND, ..default }), "ttl is 61s, expected 1s to 60s");
        assert_eq!(
            error(RetryBudgetLimits { share_percent: 101, ..default }),
            "share_percent is 101, expected 0 to 100"
        );
    }
}
