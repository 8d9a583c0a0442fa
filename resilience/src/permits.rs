//! A limit on how much runs at once, as guards that give themselves back.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

mod holds;

use holds::Holds;

/// A limit on how much runs at once. A clone is another handle on the same limit: one for the whole
/// process protects a vendor, one made for each request protects nobody.
///
/// At every rest `taken = returned + held`, from three counts that are kept apart: the first two
/// here, the third by the semaphore. They can disagree only for the instant in which a permit
/// changes hands.
///
/// ```
/// use std::num::NonZeroUsize;
/// use resilience::Permits;
///
/// let permits = Permits::new(NonZeroUsize::MIN);
/// let permit = permits.try_take().expect("one is free");
/// assert!(permits.try_take().is_none());
/// drop(permit); // at the end of the work, wherever that is; also when its future is dropped
/// assert_eq!((permits.taken(), permits.returned(), permits.held()), (1, 1, 0));
/// ```
#[derive(Debug, Clone)]
pub struct Permits {
    shared: Arc<Shared>,
}

/// The right to run. It is owned, so that it can move to where the work really ends: into the body
/// of a streamed answer, not only to the end of the function that began it.
#[derive(Debug)]
pub struct Permit {
    shared: Arc<Shared>,
    since: Instant,
}

#[derive(Debug)]
struct Shared {
    limit: usize,
    semaphore: Semaphore,
    taken: AtomicU64,
    returned: AtomicU64,
    /// A std mutex: it is held for a few additions, never over an `.await`.
    holds: Mutex<Holds>,
}

impl Permits {
    /// `limit` permits. More than tokio can count (2^61 on 64-bit machines) is as good as no limit.
    #[must_use]
    pub fn new(limit: NonZeroUsize) -> Self {
        let limit = limit.get().min(Semaphore::MAX_PERMITS);
        Permits {
            shared: Arc::new(Shared {
                limit,
                semaphore: Semaphore::new(limit),
                taken: AtomicU64::new(0),
                returned: AtomicU64::new(0),
                holds: Mutex::default(),
            }),
        }
    }

    /// Waits for a permit, first come first served. Dropping the wait leaves the line.
    pub async fn take(&self) -> Permit {
        match self.shared.semaphore.acquire().await {
            Ok(permit) => {
                permit.forget();
                self.count_taken()
            }
            Err(closed) => unreachable!("nothing closes this semaphore: {closed}"),
        }
    }

    /// A permit, if one is free now. It never overtakes those who wait in [`Permits::take`]: a permit
    /// that comes back while somebody waits goes to them and is not free at any moment.
    #[must_use]
    pub fn try_take(&self) -> Option<Permit> {
        let permit = self.shared.semaphore.try_acquire().ok()?;
        permit.forget();
        Some(self.count_taken())
    }

    /// How many permits there are.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.shared.limit
    }

    /// How many are held now.
    #[must_use]
    pub fn held(&self) -> usize {
        self.shared.limit - self.shared.semaphore.available_permits()
    }

    /// How many were ever handed out.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.shared.taken.load(Ordering::Relaxed)
    }

    /// How many came back.
    #[must_use]
    pub fn returned(&self) -> u64 {
        self.shared.returned.load(Ordering::Relaxed)
    }

    /// How long a permit was held lately: the mean of the last 32, or of fewer where those before them were
    /// of another kind. `None` until one has come back.
    #[must_use]
    pub fn mean_hold(&self) -> Option<Duration> {
        self.shared.lock_holds().mean().map(Duration::from_secs_f64)
    }

    fn count_taken(&self) -> Permit {
        self.shared.taken.fetch_add(1, Ordering::Relaxed);
        Permit { shared: Arc::clone(&self.shared), since: Instant::now() }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.shared.lock_holds().note(self.since.elapsed().as_secs_f64());
        self.shared.returned.fetch_add(1, Ordering::Relaxed);
        self.shared.semaphore.add_permits(1);
    }
}

impl Shared {
    fn lock_holds(&self) -> std::sync::MutexGuard<'_, Holds> {
        // A poisoned average is still an average: nothing between lock and unlock can panic halfway.
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn permits(limit: usize) -> Permits {
        Permits::new(NonZeroUsize::new(limit).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_dropped_takes_no_permit_with_it() {
        let permits = permits(1);
        let held = permits.take().await;
        let wait = tokio::time::timeout(Duration::from_secs(1), permits.take());
        assert!(wait.await.is_err());
        drop(held);
        assert_eq!((permits.held(), permits.taken(), permits.returned()), (0, 1, 1));
        assert!(permits.try_take().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_returned_permit_goes_to_who_waited_first_and_not_to_who_asks_next() {
        let permits = permits(1);
        let held = permits.take().await;
        let waiting = tokio::spawn({
            let permits = permits.clone();
            async move { permits.take().await }
        });
        tokio::task::yield_now().await;
        drop(held);
        assert!(permits.try_take().is_none(), "the permit is already the waiting task's");
        let _taken = waiting.await.unwrap();
        assert_eq!(permits.held(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_mean_follows_how_long_permits_are_held() {
        let permits = permits(1);
        assert_eq!(permits.mean_hold(), None);
        for seconds in [4, 4, 8] {
            let permit = permits.take().await;
            advance(Duration::from_secs(seconds)).await;
            drop(permit);
        }
        assert_eq!(permits.mean_hold(), Some(Duration::from_secs(16) / 3));
    }

    #[test]
    fn a_limit_that_tokio_cannot_count_is_no_panic() {
        assert_eq!(permits(usize::MAX).limit(), Semaphore::MAX_PERMITS);
    }
}
