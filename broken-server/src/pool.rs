//! The instrumented blocking pool.

use std::time::Instant;

use actix_web::web;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use tokio::sync::oneshot;

use crate::errors::Failure;

/// The blocking pool of the worker that calls it, with metrics.
///
/// The pool itself is tokio's, one per actix worker: `web::block` and every `spawn_blocking` on that worker share it, and
/// so do the name look-ups of the asynchronous client. Its queue is unbounded, and tokio shows neither its length nor how
/// long work waits in it. So all work goes through here and is counted around the closure; the metrics are sums over the
/// workers.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    busy: Gauge,
    queued: Gauge,
    queue_wait: Histogram,
}

impl Pool {
    /// Registers the pool's metrics in `registry`. `size` is the number of threads of all workers.
    pub(crate) fn new(size: i64, registry: &mut Registry) -> Self {
        let total: Gauge = Gauge::default();
        total.set(size);
        // From 0.1 ms, an idle pool, to 52 s, a whole stream.
        let queue_wait = Histogram::new(exponential_buckets(0.0001, 2.0, 20));
        let pool = Pool { busy: Gauge::default(), queued: Gauge::default(), queue_wait };
        registry.register("blocking_pool_size", "Threads that the blocking pools may have", total);
        registry.register("blocking_pool_busy", "Pool threads at work", pool.busy.clone());
        registry.register("blocking_pool_queued", "Work that waits for a pool thread", pool.queued.clone());
        registry.register(
            "blocking_pool_queue_wait_seconds",
            "Time that work waited for a pool thread",
            pool.queue_wait.clone(),
        );
        pool
    }

    /// Queues `work`. It runs when a thread is free, even if its client has disconnected by then: the work must check
    /// that itself.
    pub(crate) fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        let queued = Queued::new(self.clone());
        // This drops only the future that waits for the result; the work is already queued.
        drop(web::block(move || {
            let _busy = queued.start();
            work();
        }));
    }

    /// Queues `work` and waits for its result. If the caller is gone when a thread becomes free, the work is not started.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
        let (result, waiting) = oneshot::channel();
        self.spawn(move || {
            if !result.is_closed() {
                // Sending fails if the caller is gone by now.
                let _ = result.send(work());
            }
        });
        waiting.await.map_err(|_| Failure::Internal("work in the blocking pool panicked"))
    }
}

/// Work in the queue. Dropped without being started when the worker stops.
struct Queued {
    pool: Pool,
    since: Instant,
}

impl Queued {
    fn new(pool: Pool) -> Self {
        pool.queued.inc();
        Queued { pool, since: Instant::now() }
    }

    fn start(self) -> Busy {
        self.pool.queue_wait.observe(self.since.elapsed().as_secs_f64());
        Busy::new(self.pool.clone())
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.pool.queued.dec();
    }
}

/// A thread at work. A guard, so that a panic in the work is counted too.
struct Busy(Pool);

impl Busy {
    fn new(pool: Pool) -> Self {
        pool.busy.inc();
        Busy(pool)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.dec();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A runtime like an actix worker's, with a pool of one thread.
    fn with_one_thread<F: Future>(test: impl FnOnce(Pool) -> F) -> F::Output {
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        runtime.block_on(test(Pool::new(1, &mut Registry::default())))
    }

    #[test]
    fn busy_and_queued_work_is_counted() {
        with_one_thread(async |pool| {
            let (release, released) = mpsc::channel::<()>();
            let (started, has_started) = oneshot::channel();
            pool.spawn(move || {
                started.send(()).unwrap();
                released.recv().unwrap();
            });
            has_started.await.unwrap();
            let second = pool.run(|| 7);
            let mut second = std::pin::pin!(second);
            assert!(futures_util::poll!(&mut second).is_pending());
            assert_eq!((pool.busy.get(), pool.queued.get()), (1, 1));

            release.send(()).unwrap();
            assert_eq!(second.await.unwrap(), 7);
            pool.run(|| ()).await.unwrap();
            assert_eq!(pool.queued.get(), 0);
        });
    }

    #[test]
    fn work_whose_caller_is_gone_is_not_started() {
        with_one_thread(async |pool| {
            let (release, released) = mpsc::channel::<()>();
            let (began, has_begun) = mpsc::channel::<()>();
            pool.spawn(move || released.recv().unwrap());
            {
                let abandoned = pool.run(move || began.send(()).unwrap());
                let mut abandoned = std::pin::pin!(abandoned);
                assert!(futures_util::poll!(&mut abandoned).is_pending());
            }
            release.send(()).unwrap();
            pool.run(|| ()).await.unwrap();
            assert!(has_begun.try_recv().is_err());
        });
    }

    #[test]
    fn a_panic_is_an_internal_failure_and_frees_the_thread() {
        with_one_thread(async |pool| {
            let failure = pool.run::<()>(|| panic!("on purpose")).await.unwrap_err();
            assert!(matches!(failure, Failure::Internal(_)));
            pool.run(|| ()).await.unwrap();
            assert_eq!(pool.queued.get(), 0);
        });
    }
}
