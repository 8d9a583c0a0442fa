//! A limit on how much begins in a time, in requests or in tokens.

use std::future::Future;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

mod gcra;
mod rate;

pub use gcra::{Gcra, NotTaken, OverBurst};
pub use rate::{Rate, RateError};

/// A rate limit that callers wait for, first come, first served. A clone is another handle on the
/// same limit.
///
/// Costs are in whatever the rate counts: 1 a request, or the tokens of a prompt and its longest
/// answer. The second is an estimate, and [`RateLimit::settle`] puts it right when the usage is known.
///
/// The clock's timers are up to a millisecond late, so a burst that the rate refills in less than
/// that cannot be used in full by callers that wait.
///
/// Together with a permit, so that neither is held by somebody who waits for the other:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use std::num::{NonZeroU64, NonZeroUsize};
/// use resilience::{Permits, RateLimit};
///
/// let permits = Permits::new(NonZeroUsize::new(3).unwrap());
/// let requests = RateLimit::new("60/1m".parse().unwrap(), NonZeroU64::new(2).unwrap());
/// let tokens = RateLimit::new("90000/1m".parse().unwrap(), NonZeroU64::new(9_000).unwrap());
///
/// let cost = 1_200;
/// let permit = requests.take_with(1, || tokens.take_with(cost, || permits.take())).await.unwrap().unwrap();
/// // ... the call ...
/// tokens.settle(cost, 800);
/// drop(permit);
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RateLimit {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// A std mutex: it is held for a few additions, never over an `.await`.
    bucket: Mutex<Gcra>,
    /// Held by the one caller that waits for the bucket; the others wait for it, in line, because
    /// tokio's mutex is fair. Nobody can then be overtaken by a caller with a smaller cost.
    turn: tokio::sync::Mutex<()>,
    /// Tells who waits that it may be ready earlier.
    refunded: Notify,
}

impl RateLimit {
    /// A limit that begins with a full burst, in units.
    #[must_use]
    pub fn new(rate: Rate, burst: NonZeroU64) -> Self {
        RateLimit {
            shared: Arc::new(Shared {
                bucket: Mutex::new(Gcra::new(rate, burst, Instant::now())),
                turn: tokio::sync::Mutex::new(()),
                refunded: Notify::new(),
            }),
        }
    }

    /// Waits until `cost` units can be taken, and takes them. Dropping the wait takes nothing.
    ///
    /// # Errors
    /// [`OverBurst`].
    pub async fn take(&self, cost: u64) -> Result<(), OverBurst> {
        self.take_with(cost, || async {}).await
    }

    /// Waits until `cost` units can be taken, then for what `obtain` gives, and takes the units only
    /// when it has both. Dropping the wait, at any point, takes nothing.
    ///
    /// Calls can be nested, one limit in another, as in the example above. Everything is then taken
    /// in the same instant. The outer limit must be one that is taken only in this way and never
    /// charged: were it no longer ready at that instant, what the inner one took would be spent twice.
    ///
    /// # Errors
    /// [`OverBurst`], before `obtain` is called.
    pub async fn take_with<R, F>(&self, cost: u64, obtain: impl Fn() -> F) -> Result<R, OverBurst>
    where
        F: Future<Output = R>,
    {
        let _turn = self.shared.turn.lock().await;
        loop {
            self.ready(cost).await?;
            let obtained = obtain().await;
            match self.try_take(cost) {
                Ok(()) => return Ok(obtained),
                Err(NotTaken::OverBurst(error)) => return Err(error),
                // It was charged meanwhile. What was obtained goes back before the wait begins again.
                Err(NotTaken::NotYet { .. }) => drop(obtained),
            }
        }
    }

    /// Takes `cost` units if they are there. It overtakes those who wait in [`RateLimit::take`]: a
    /// limit is one to wait for or one to be rejected by, not both.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn try_take(&self, cost: u64) -> Result<(), NotTaken> {
        self.bucket().try_take(cost, Instant::now())
    }

    /// When `cost` units can be taken, if nobody else takes any before; see [`Gcra::ready_at`]. With
    /// `n` units wanted by those who wait already, add [`Rate::time_for`] `n` to it.
    ///
    /// # Errors
    /// [`OverBurst`].
    pub fn ready_at(&self, cost: u64) -> Result<Instant, OverBurst> {
        self.bucket().ready_at(cost)
    }

    /// Puts right an estimate: refunds what was reserved and not used, or charges what was used and
    /// not reserved. A charge is never refused, since it is spent already; later callers wait for it.
    pub fn settle(&self, reserved: u64, used: u64) {
        if used > reserved {
            self.bucket().charge(used - reserved, Instant::now());
        } else {
            self.bucket().refund(reserved - used);
            self.shared.refunded.notify_one();
        }
    }

    /// Waits until `cost` units are there. They are not taken.
    async fn ready(&self, cost: u64) -> Result<(), OverBurst> {
        loop {
            let ready_at = self.ready_at(cost)?;
            if ready_at <= Instant::now() {
                return Ok(());
            }
            // Either may end the wait, and the bucket says whether it is over.
            let _ = timeout_at(ready_at, self.shared.refunded.notified()).await;
        }
    }

    fn bucket(&self) -> MutexGuard<'_, Gcra> {
        // Nothing panics while it is held, so a poisoned bucket is as good as any.
        self.shared.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::time::Duration;

    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::permits::Permits;

    const MS: Duration = Duration::from_millis(1);

    fn limit(rate: &str, burst: u64) -> RateLimit {
        RateLimit::new(rate.parse().unwrap(), NonZeroU64::new(burst).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn callers_start_at_the_rate() {
        let (limit, start) = (limit("20/1s", 2), Instant::now());
        let mut starts = Vec::new();
        for _ in 0..5 {
            limit.take(1).await.unwrap();
            starts.push(start.elapsed().as_millis());
        }
        assert_eq!(starts, [0, 0, 50, 100, 150]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_small_cost_does_not_overtake_a_large_one() {
        let (limit, start) = (limit("1000/1s", 100), Instant::now());
        limit.take(100).await.unwrap();
        let ended = |cost| {
            let limit = limit.clone();
            async move {
                limit.take(cost).await.unwrap();
                start.elapsed()
            }
        };
        assert_eq!(tokio::join!(ended(100), ended(1)), (100 * MS, 101 * MS));
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_the_line_has_taken_nothing() {
        let limit = limit("20/1s", 1);
        limit.take(1).await.unwrap();
        assert!(timeout(30 * MS, limit.take(1)).await.is_err());
        assert_eq!(limit.ready_at(1), Ok(Instant::now() + 20 * MS));
    }

    #[tokio::test(start_paused = true)]
    async fn who_gets_no_permit_takes_no_rate_and_who_waits_for_rate_holds_no_permit() {
        let (limit, permits) = (limit("20/1s", 1), Permits::new(NonZeroUsize::MIN));
        let held = permits.take().await;
        assert!(timeout(1000 * MS, limit.take_with(1, || permits.take())).await.is_err());
        assert_eq!(limit.try_take(1), Ok(()), "the rate is as it was");
        drop(held);
        assert!(timeout(49 * MS, limit.take_with(1, || permits.take())).await.is_err());
        assert_eq!(permits.taken(), 1);
        assert!(timeout(MS, limit.take_with(1, || permits.take())).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_limits_and_a_permit_all_are_taken_or_none() {
        let (requests, tokens) = (limit("10/1s", 1), limit("1000/1s", 400));
        let (permits, begun) = (Permits::new(NonZeroUsize::MIN), Instant::now());
        let call = || requests.take_with(1, || tokens.take_with(300, || permits.take()));
        let permit = call().await.unwrap().unwrap();
        assert!(timeout(1000 * MS, call()).await.is_err(), "there is no second permit");
        assert_eq!(requests.ready_at(1), Ok(begun + 100 * MS));
        assert_eq!(tokens.ready_at(400), Ok(begun + 300 * MS));
        drop(permit);
        let asked = Instant::now();
        drop(call().await.unwrap().unwrap());
        drop(call().await.unwrap().unwrap());
        assert_eq!(asked.elapsed(), 200 * MS, "the tokens are the narrower limit");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refund_ends_a_wait_early_and_a_charge_draws_it_out() {
        let (limit, start) = (limit("1000/1s", 1000), Instant::now());
        limit.take(1000).await.unwrap();
        let waits = async {
            limit.take(500).await.unwrap();
            start.elapsed()
        };
        let settles = async {
            sleep(50 * MS).await;
            limit.settle(0, 300);
            sleep(50 * MS).await;
            limit.settle(1000, 400);
        };
        // 500 units would take 500 ms, with 300 charged 800 ms, with 600 refunded 200 ms.
        assert_eq!(tokio::join!(waits, settles).0, 200 * MS);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cost_that_no_wait_is_long_enough_for_is_refused_at_once() {
        let asked = Instant::now();
        assert_eq!(limit("1/1h", 10).take(11).await, Err(OverBurst { cost: 11, burst: 10 }));
        assert_eq!(asked.elapsed(), Duration::ZERO);
    }
}
