//! One point in time by which all work for a request must be done.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use crate::recheck::RECHECK_TIME;

/// The point in time by which a piece of work must be done.
///
/// Timeouts add up: three attempts of 30 s, each after a queue of 5 s, can take 105 s. A deadline is set once, when the
/// request arrives, and passed down; each step then has the time that is left, and never more.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use std::time::Duration;
/// use resilience::Deadline;
///
/// let deadline = Deadline::after(Duration::from_millis(20));
/// assert_eq!(deadline.timeout(async { "in time" }).await, Ok("in time"));
/// assert!(deadline.timeout(std::future::pending::<()>()).await.is_err());
/// assert_eq!(deadline.remaining(), Duration::ZERO);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

/// The deadline passed before the work was done. The work has been dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the deadline has passed")]
pub struct DeadlinePassed;

impl Deadline {
    /// A deadline `limit` from now; 30 years from now where `limit` is beyond what the clock can represent.
    #[must_use]
    pub fn after(limit: Duration) -> Self {
        const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
        let now = Instant::now();
        Deadline(now.checked_add(limit).unwrap_or_else(|| now + FAR))
    }

    /// The deadline of a step that has its own limit: `limit` from now, but never later than this deadline.
    #[must_use]
    pub fn at_most(self, limit: Duration) -> Self {
        self.min(Deadline::after(limit))
    }

    /// How much time is left; zero once it has passed.
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Runs `work` until it is done or the deadline passes. Work that is done when the deadline passes counts as done,
    /// even if that shows [a moment later](RECHECK_TIME): a process that was suspended finds its timer fired and the
    /// answer in its socket. Late work is dropped where it is, so what it holds must be in guards.
    ///
    /// # Errors
    /// [`DeadlinePassed`].
    pub async fn timeout<F: Future>(self, work: F) -> Result<F::Output, DeadlinePassed> {
        let mut work = pin!(work);
        match timeout_at(self.0, &mut work).await {
            Ok(done) => Ok(done),
            Err(_) => timeout(RECHECK_TIME, work).await.map_err(|_| DeadlinePassed),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::time::{advance, sleep};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn steps_share_one_deadline() {
        let started = Instant::now();
        let deadline = Deadline::after(6 * SECOND);
        for step in 0..3 {
            let outcome = deadline.at_most(5 * SECOND).timeout(sleep(60 * SECOND)).await;
            assert_eq!(outcome, Err(DeadlinePassed), "step {step}");
        }
        let looks = started.elapsed() - 6 * SECOND;
        assert!(looks <= 3 * RECHECK_TIME, "5 s, then the 1 s that was left, then nothing: {looks:?} more");
    }

    #[tokio::test(start_paused = true)]
    async fn late_work_is_dropped_with_all_it_holds() {
        let held = std::sync::Arc::new(());
        let work = {
            let held = held.clone();
            async move {
                sleep(60 * SECOND).await;
                drop(held);
            }
        };
        assert_eq!(Deadline::after(SECOND).timeout(work).await, Err(DeadlinePassed));
        assert_eq!(std::sync::Arc::strong_count(&held), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_is_ready_at_the_deadline_counts_as_done() {
        let deadline = Deadline::after(SECOND);
        advance(2 * SECOND).await;
        assert_eq!(deadline.timeout(async { 7 }).await, Ok(7));
    }

    #[tokio::test(start_paused = true)]
    async fn an_unrepresentable_limit_is_far_away_and_does_not_panic() {
        assert!(Deadline::after(Duration::MAX).remaining() > 1_000_000 * SECOND);
    }

    proptest! {
        /// Against the plainest model: a number of milliseconds that each step reduces.
        #[test]
        fn any_chain_of_limits_ends_at_the_smallest(
            limits in proptest::collection::vec(0_u64..10_000, 1..8),
            passes in proptest::collection::vec(0_u64..3_000, 8),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
            runtime.block_on(async {
                let mut left = limits[0];
                let mut deadline = Deadline::after(Duration::from_millis(left));
                for (limit, passed) in limits.iter().zip(passes) {
                    deadline = deadline.at_most(Duration::from_millis(*limit));
                    left = left.min(*limit);
                    assert_eq!(deadline.remaining(), Duration::from_millis(left));
                    advance(Duration::from_millis(passed)).await;
                    left = left.saturating_sub(passed);
                    assert_eq!(deadline.remaining(), Duration::from_millis(left));
                }
            });
        }
    }
}
