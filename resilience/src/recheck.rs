//! Giving up on time, and not on what came while the process stood still.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

/// Later than this, a timer did not fire because its time had come: the process itself stood still (it
/// was stopped, its machine slept), and cannot know for how long the other side did.
pub const STALL_THRESHOLD: Duration = Duration::from_millis(250);

/// How long what has come meanwhile has to be seen, once a timer fired: the runtime may look at its
/// timers before it looks at its sockets.
pub const RECHECK_TIME: Duration = Duration::from_millis(10);

/// Waits for `work` for `limit`, and does not give up before it has looked once more: a process that was
/// stopped for longer than `limit` finds its timer fired and the answer in its socket. After such a pause
/// the work gets its whole limit once more, because the other side may have stood still as well.
///
/// None where the work was not done by then. It has been dropped.
pub async fn timeout_with_recheck<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    let Some(due) = Instant::now().checked_add(limit) else { return Some(work.await) };
    match timeout_at(due, &mut work).await {
        Ok(done) => Some(done),
        Err(_) => timeout(extra_wait(due, limit), work).await.ok(),
    }
}

/// How long to go on waiting, now that a timer has fired that was `due`, where the whole wait was `limit`.
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
    async fn what_takes_too_long_is_given_up_and_what_does_not_is_not() {
        let begun = Instant::now();
        assert_eq!(timeout_with_recheck(LIMIT, sleep(LIMIT / 2)).await, Some(()));
        assert_eq!(timeout_with_recheck(LIMIT, sleep(2 * LIMIT)).await, None);
        assert_eq!(begun.elapsed(), LIMIT / 2 + LIMIT + RECHECK_TIME);
        assert_eq!(timeout_with_recheck(Duration::MAX, sleep(LIMIT)).await, Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_pause_of_the_process_the_whole_limit_begins_anew() {
        let due = Instant::now() + LIMIT;
        tokio::time::advance(LIMIT).await;
        assert_eq!(extra_wait(due, LIMIT), RECHECK_TIME);
        tokio::time::advance(2 * STALL_THRESHOLD).await;
        assert_eq!(extra_wait(due, LIMIT), LIMIT);
    }
}
