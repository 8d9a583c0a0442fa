//! A limit on concurrency: permits that return themselves when dropped.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

mod hold_times;

use hold_times::HoldTimes;

/// A limit on how much runs at once. Clones share the limit: one for the whole process protects a service, one per
/// request protects nothing.
///
/// `taken = returned + held`, where the semaphore counts `held` and the other two are counted here. They can disagree
/// only for the instant in which a permit is taken or returned.
///
/// ```
/// use std::num::NonZeroUsize;
/// use resilience::Permits;
///
/// let permits = Permits::new(NonZeroUsize::MIN);
/// let permit = permits.try_take().expect("one is free");
/// assert!(permits.try_take().is_none());
/// drop(permit); // at the end of the work, or when its future is dropped
/// assert_eq!((permits.taken(), permits.returned(), permits.held()), (1, 1, 0));
/// ```
#[derive(Debug, Clone)]
pub struct Permits {
    shared: Arc<Shared>,
}

/// A permit to run, returned when dropped. It is owned, so that it can move to where the work really ends: into the body
/// of a streamed answer, past the end of the function that took it.
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
    /// A std mutex: it is held for a few additions, never across an `.await`.
    hold_times: Mutex<HoldTimes>,
}

impl Permits {
    /// `limit` permits, at most what tokio can count (2^61 on 64-bit machines).
    #[must_use]
    pub fn new(limit: NonZeroUsize) -> Self {
        let limit = limit.get().min(Semaphore::MAX_PERMITS);
        Permits {
            shared: Arc::new(Shared {
                limit,
                semaphore: Semaphore::new(limit),
                taken: AtomicU64::new(0),
                returned: AtomicU64::new(0),
                hold_times: Mutex::default(),
            }),
        }
    }

    /// Waits for a permit, first come, first served. Dropping the wait leaves the queue.
    pub async fn take(&self) -> Permit {
        match self.shared.semaphore.acquire().await {
            Ok(permit) => {
                permit.forget();
                self.count_taken()
            }
            Err(closed) => unreachable!("nothing closes this semaphore: {closed}"),
        }
    }

    /// A permit, if one is free now. It never overtakes a caller in [`Permits::take`]: a permit that comes back while one
    /// waits goes to that one without becoming free.
    #[must_use]
    pub fn try_take(&self) -> Option<Permit> {
        let permit = self.shared.semaphore.try_acquire().ok()?;
        permit.forget();
        Some(self.count_taken())
    }

    /// All permits.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.shared.limit
    }

    /// Permits held now.
    #[must_use]
    pub fn held(&self) -> usize {
        self.shared.limit - self.shared.semaphore.available_permits()
    }

    /// Permits taken since the start.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.shared.taken.load(Ordering::Relaxed)
    }

    /// Permits returned since the start.
    #[must_use]
    pub fn returned(&self) -> u64 {
        self.shared.returned.load(Ordering::Relaxed)
    }

    /// The mean time for which recent permits were held: of the last 32, or of fewer after a change in their length.
    /// `None` until one has come back.
    #[must_use]
    pub fn mean_hold(&self) -> Option<Duration> {
        self.shared.lock_hold_times().mean().map(Duration::from_secs_f64)
    }

    fn count_taken(&self) -> Permit {
        self.shared.taken.fetch_add(1, Ordering::Relaxed);
        Permit { shared: Arc::clone(&self.shared), since: Instant::now() }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.shared.lock_hold_times().note(self.since.elapsed().as_secs_f64());
        self.shared.returned.fetch_add(1, Ordering::Relaxed);
        self.shared.semaphore.add_permits(1);
    }
}

impl Shared {
    fn lock_hold_times(&self) -> std::sync::MutexGuard<'_, HoldTimes> {
        // Nothing panics while it is held, so a poisoned average is still consistent.
        self.hold_times.lock().unwrap_or_else(PoisonError::into_inner)
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
    async fn a_dropped_wait_takes_no_permit() {
        let permits = permits(1);
        let held = permits.take().await;
        let wait = tokio::time::timeout(Duration::from_secs(1), permits.take());
        assert!(wait.await.is_err());
        drop(held);
        assert_eq!((permits.held(), permits.taken(), permits.returned()), (0, 1, 1));
        assert!(permits.try_take().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_returned_permit_goes_to_the_first_waiter_not_a_newcomer() {
        let permits = permits(1);
        let held = permits.take().await;
        let waiting = tokio::spawn({
            let permits = permits.clone();
            async move { permits.take().await }
        });
        tokio::task::yield_now().await;
        drop(held);
        assert!(permits.try_take().is_none(), "the permit already belongs to the waiting task");
        let _taken = waiting.await.unwrap();
        assert_eq!(permits.held(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_mean_hold_follows_how_long_permits_are_held() {
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
    fn a_limit_beyond_what_tokio_counts_does_not_panic() {
        assert_eq!(permits(usize::MAX).limit(), Semaphore::MAX_PERMITS);
    }
}
