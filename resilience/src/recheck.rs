//! Timeouts that do not give up on a result that arrived while the process was suspended.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

/// A timer that fires later than this was not merely late: the process was suspended (stopped, or its machine slept), and
/// cannot know for how long the other side was.
pub const STALL_THRESHOLD: Duration = Duration::from_millis(250);

/// How much longer to wait after a timer fired for a result that may already have arrived: the runtime may process its
/// timers before its sockets.
pub const RECHECK_TIME: Duration = Duration::from_millis(10);

/// Waits for `work` for at most `limit`, and checks once more before it gives up: a process that was suspended for longer
/// than `limit` finds its timer fired and the answer in its socket. After a suspension the work gets the whole limit
/// again, because the other side may have been suspended too.
///
/// `None` if the work was not done by then. It has been dropped.
pub async fn timeout_with_recheck<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    let Some(due) = Instant::now().checked_add(limit) else { return Some(work.await) };
    match timeout_at(due, &mut work).await {
        Ok(done) => Some(done),
        Err(_) => timeout(extra_wait(due, limit), work).await.ok(),
    }
}

/// How much longer to wait after a timer for `due` has fired, where the whole wait was `limit`.
#[must_use]
pub fn extra_wait(due: Instant, limit: Duration) -> Duration {
    if due.elapsed() > STALL_THRESHOLD { limit } else { RECHECK_TIME }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn work_that_takes_longer_than_the_limit_is_dropped() {
        let begun = Instant::now();
        assert_eq!(timeout_with_recheck(LIMIT, sleep(LIMIT / 2)).await, Some(()));
        assert_eq!(timeout_with_recheck(LIMIT, sleep(2 * LIMIT)).await, None);
        assert_eq!(begun.elapsed(), LIMIT / 2 + LIMIT + RECHECK_TIME);
        assert_eq!(timeout_with_recheck(Duration::MAX, sleep(LIMIT)).await, Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_suspension_the_whole_limit_starts_again() {
        let due = Instant::now() + LIMIT;
        tokio::time::advance(LIMIT).await;
        assert_eq!(extra_wait(due, LIMIT), RECHECK_TIME);
        tokio::time::advance(2 * STALL_THRESHOLD).await;
        assert_eq!(extra_wait(due, LIMIT), LIMIT);
    }
}
