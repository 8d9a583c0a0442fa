use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::timeout;

use crate::permits::{Permit, Permits};

/// Lets callers in: a limit on how many run at once, with a queue before it that is bounded in
/// length and in time, first come first served.
///
/// A queue without bounds answers nobody under overload: everyone waits until they have given up,
/// and the work is then done for those who left. This one says no at once when it is full, and says
/// when to come back.
///
/// The queue timeout covers the wait for a permit and nothing else. Whoever puts the call itself
/// under it, as a `timeout` around both, cuts healthy calls at the queue's limit.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use std::num::NonZeroUsize;
/// use std::time::Duration;
/// use resilience::{Admission, QueueLimits, Rejected};
///
/// let limits = QueueLimits { max_queued: 0, timeout: Duration::from_secs(5) };
/// let admission = Admission::new(NonZeroUsize::MIN, limits);
/// let permit = admission.admit().await.expect("nobody is there yet");
/// assert!(matches!(admission.admit().await, Err(Rejected::QueueFull { .. })));
/// drop(permit); // at the end of the call, or of its stream
/// assert!(admission.admit().await.is_ok());
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Admission {
    permits: Permits,
    limits: QueueLimits,
    queued: Arc<AtomicUsize>,
}

/// The bounds of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Most callers that may wait. None at all with 0: without a free permit they are rejected.
    pub max_queued: usize,
    /// Longest that one of them may wait.
    pub timeout: Duration,
}

/// Why a caller was not let in. It holds nothing and has cost the slow service nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// There was no free permit and no place in the queue. Known at once.
    #[error("the queue is full")]
    QueueFull {
        /// When to come back: the time in which the queue that stands now will have been served, at
        /// the pace at which permits came back lately. Before any has, the queue timeout.
        retry_after: Duration,
    },
    /// No permit came within the queue timeout.
    #[error("no permit came free within {waited:?}")]
    QueueTimeout {
        /// The queue timeout.
        waited: Duration,
    },
}

/// How busy an admission is: four counts, read without waiting for anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Permits held.
    pub held: usize,
    /// Permits there are.
    pub limit: usize,
    /// Callers in the queue.
    pub queued: usize,
    /// Places in the queue.
    pub max_queued: usize,
}

impl Admission {
    /// An admission with `limit` permits of its own. Clones share permits and queue.
    #[must_use]
    pub fn new(limit: NonZeroUsize, limits: QueueLimits) -> Self {
        Admission { permits: Permits::new(limit), limits, queued: Arc::new(AtomicUsize::new(0)) }
    }

    /// Waits to be let in. Dropping the wait gives the place in the queue back.
    ///
    /// # Errors
    /// [`Rejected`], which of the two says when: at once, or after the queue timeout.
    pub async fn admit(&self) -> Result<Permit, Rejected> {
        // This overtakes nobody: while somebody waits, no permit is ever free.
        if let Some(permit) = self.permits.try_take() {
            return Ok(permit);
        }
        let Some(_place) = QueuePlace::take(&self.queued, self.limits.max_queued) else {
            return Err(Rejected::QueueFull { retry_after: self.time_to_serve_the_queue() });
        };
        let waited = self.limits.timeout;
        timeout(waited, self.permits.take()).await.map_err(|_| Rejected::QueueTimeout { waited })
    }

    /// How busy it is.
    #[must_use]
    pub fn load(&self) -> Load {
        Load {
            held: self.permits.held(),
            limit: self.permits.limit(),
            queued: self.queued.load(Ordering::Relaxed),
            max_queued: self.limits.max_queued,
        }
    }

    /// The permits, for those who count them.
    #[must_use]
    pub fn permits(&self) -> &Permits {
        &self.permits
    }

    /// Little's law: with `limit` permits held for `hold` each, one comes back every `hold / limit`.
    fn time_to_serve_the_queue(&self) -> Duration {
        let Some(hold) = self.permits.mean_hold() else { return self.limits.timeout };
        let ahead = self.queued.load(Ordering::Relaxed) + 1;
        hold.mul_f64(ahead as f64 / self.permits.limit() as f64)
    }
}

impl Load {
    /// How much of the queue is in use, 0 to 1. Nobody queues while a permit is free. Where there are
    /// no places at all, they are all in use as soon as no permit is free.
    #[must_use]
    pub fn queue_use(self) -> f64 {
        if self.held < self.limit {
            0.0
        } else if self.max_queued == 0 {
            1.0
        } else {
            self.queued as f64 / self.max_queued as f64
        }
    }
}

/// One place in the queue, given back when the wait ends, however it ends.
struct QueuePlace<'a>(&'a AtomicUsize);

impl<'a> QueuePlace<'a> {
    fn take(queued: &'a AtomicUsize, max: usize) -> Option<Self> {
        let one_more = |now: usize| (now < max).then_some(now + 1);
        queued.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok().map(|_| QueuePlace(queued))
    }
}

impl Drop for QueuePlace<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn admission(limit: usize, max_queued: usize) -> Admission {
        Admission::new(NonZeroUsize::new(limit).unwrap(), QueueLimits { max_queued, timeout: 5 * SECOND })
    }

    #[tokio::test(start_paused = true)]
    async fn the_queue_timeout_covers_the_wait_and_not_the_call() {
        let admission = admission(1, 1);
        let permit = admission.admit().await.unwrap();
        sleep(60 * SECOND).await;
        assert_eq!(admission.admit().await.unwrap_err(), Rejected::QueueTimeout { waited: 5 * SECOND });
        assert_eq!(admission.load(), Load { held: 1, limit: 1, queued: 0, max_queued: 1 });
        drop(permit);
        assert!(admission.admit().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_says_no_at_once() {
        let admission = admission(1, 0);
        let _permit = admission.admit().await.unwrap();
        let asked = Instant::now();
        assert_eq!(admission.admit().await.unwrap_err(), Rejected::QueueFull { retry_after: 5 * SECOND });
        assert_eq!(asked.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_back_when_told_finds_the_queue_served() {
        let hold = 2 * SECOND;
        let admission = admission(4, 8);
        let call = |admission: Admission| async move {
            let permit = admission.admit().await?;
            sleep(hold).await;
            drop(permit);
            Ok::<_, Rejected>(())
        };
        // One round teaches it how long a call takes.
        call(admission.clone()).await.unwrap();
        let calls: Vec<_> = (0..12).map(|_| tokio::spawn(call(admission.clone()))).collect();
        tokio::task::yield_now().await;
        let Err(Rejected::QueueFull { retry_after }) = admission.admit().await else { panic!("4 + 8 are full") };
        // Nine would be ahead or there, four at a time: 9 / 4 of a call.
        assert_eq!(retry_after, hold.mul_f64(9.0 / 4.0));
        sleep(retry_after).await;
        assert_eq!(admission.load().queued, 0);
        for call in calls {
            call.await.unwrap().unwrap();
        }
    }

    #[test]
    fn no_queue_is_a_queue_that_is_full_as_soon_as_no_permit_is_free() {
        let load = |held, queued, max_queued| Load { held, limit: 2, queued, max_queued }.queue_use();
        assert_eq!([load(1, 0, 0), load(2, 0, 0)], [0.0, 1.0]);
        assert_eq!([load(2, 0, 4), load(2, 3, 4), load(1, 3, 4)], [0.0, 0.75, 0.0]);
    }
}
