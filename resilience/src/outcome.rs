//! A guard that records exactly one outcome, even if the code that holds it is dropped or panics.

use std::fmt;
use std::sync::Arc;

/// Records exactly one outcome of a piece of work.
///
/// In async Rust the code after an `.await` may never run: when a client disconnects or a deadline passes, the future is
/// dropped where it is. What must always be recorded therefore belongs in a `Drop`. Here it is done *only* there, so an
/// outcome is never missing and never recorded twice.
///
/// The guard moves with the work: it is made when a request arrives and moves into the body of a streamed answer.
/// Dropped before [`OutcomeGuard::record`], it records `cancelled`, or `panicked` if a panic dropped it.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use resilience::OutcomeGuard;
///
/// let seen = Arc::new(Mutex::new(Vec::new()));
/// let record = {
///     let seen = seen.clone();
///     Arc::new(move |outcome| seen.lock().unwrap().push(outcome))
/// };
/// let answered = OutcomeGuard::new(record.clone(), "disconnected", "internal");
/// let abandoned = OutcomeGuard::new(record, "disconnected", "internal");
/// answered.record("success");
/// drop(abandoned);
/// assert_eq!(*seen.lock().unwrap(), ["success", "disconnected"]);
/// ```
#[must_use = "dropping it records a cancellation"]
pub struct OutcomeGuard<O: Copy> {
    record: Arc<dyn Fn(O) + Send + Sync>,
    outcome: Option<O>,
    cancelled: O,
    panicked: O,
}

impl<O: Copy> OutcomeGuard<O> {
    /// A guard that calls `record` once, in its `Drop`: `record` must not block and should not panic.
    pub fn new(record: Arc<dyn Fn(O) + Send + Sync>, cancelled: O, panicked: O) -> Self {
        OutcomeGuard { record, outcome: None, cancelled, panicked }
    }

    /// Records this outcome.
    pub fn record(mut self, outcome: O) {
        self.outcome = Some(outcome);
    }
}

impl<O: Copy> Drop for OutcomeGuard<O> {
    fn drop(&mut self) {
        let unfinished = if std::thread::panicking() { self.panicked } else { self.cancelled };
        (self.record)(self.outcome.unwrap_or(unfinished));
    }
}

impl<O: Copy + fmt::Debug> fmt::Debug for OutcomeGuard<O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OutcomeGuard").field("outcome", &self.outcome).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use proptest::prelude::*;
    use tokio::time::{sleep, timeout};

    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Outcome {
        Success,
        Cancelled,
        Panicked,
    }
    use Outcome::{Cancelled, Panicked, Success};

    #[derive(Clone, Default)]
    struct Tally(Arc<Mutex<Vec<Outcome>>>);

    impl Tally {
        fn guard(&self) -> OutcomeGuard<Outcome> {
            let seen = Arc::clone(&self.0);
            OutcomeGuard::new(Arc::new(move |outcome| seen.lock().unwrap().push(outcome)), Cancelled, Panicked)
        }

        fn seen(&self) -> Vec<Outcome> {
            self.0.lock().unwrap().clone()
        }
    }

    async fn work(guard: OutcomeGuard<Outcome>, lasts: Duration) {
        sleep(lasts).await;
        guard.record(Success);
    }

    #[tokio::test(start_paused = true)]
    async fn a_future_dropped_halfway_is_recorded_as_cancelled() {
        let tally = Tally::default();
        let second = Duration::from_secs(1);
        assert!(timeout(second, work(tally.guard(), 2 * second)).await.is_err());
        assert_eq!(tally.seen(), [Cancelled]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_future_never_polled_is_recorded_as_cancelled() {
        let tally = Tally::default();
        drop(work(tally.guard(), Duration::ZERO));
        assert_eq!(tally.seen(), [Cancelled]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_is_recorded_as_panicked_not_cancelled() {
        let tally = Tally::default();
        let guard = tally.guard();
        let task = tokio::spawn(async move {
            let _guard = guard;
            panic!("a bug, on purpose");
        });
        assert!(task.await.is_err());
        assert_eq!(tally.seen(), [Panicked]);
    }

    proptest! {
        /// Some tasks finish and others time out, at random times: one outcome for each.
        #[test]
        fn every_piece_of_work_has_exactly_one_outcome(
            jobs in proptest::collection::vec((0_u64..100, 0_u64..100), 0..40),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
            let tally = Tally::default();
            runtime.block_on(async {
                let mut running = Vec::new();
                for (lasts, limit) in &jobs {
                    let work = work(tally.guard(), Duration::from_millis(2 * lasts));
                    running.push(tokio::spawn(timeout(Duration::from_millis(2 * limit + 1), work)));
                }
                for task in running {
                    // Elapsed or not is what the tally is compared with below.
                    let _ = task.await.unwrap();
                }
            });
            let finished = jobs.iter().filter(|(lasts, limit)| lasts <= limit).count();
            let seen = tally.seen();
            prop_assert_eq!(seen.len(), jobs.len());
            prop_assert_eq!(seen.iter().filter(|outcome| **outcome == Success).count(), finished);
        }
    }
}
