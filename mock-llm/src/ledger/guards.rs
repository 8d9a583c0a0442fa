//! The guards of requests and generations, which count their ends in the ledger also when they are dropped.

use std::sync::Arc;

use super::Recorder;

/// A request on its way to an answer. Dropped before it has a status, it counts as unanswered.
#[derive(Debug)]
pub(crate) struct Request {
    recorder: Arc<Recorder>,
    status: Option<u16>,
}

/// A generation under way. Dropped without a word, its client has left.
#[derive(Debug)]
pub(crate) struct Entry {
    recorder: Arc<Recorder>,
    outcome: Outcome,
}

/// A generation that waits for its slot, until this is dropped.
#[derive(Debug)]
pub(crate) struct Waiting(Arc<Recorder>);

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Completed { by_limit: bool },
    Failed,
    Cancelled,
}

impl Request {
    pub(crate) fn received(recorder: &Arc<Recorder>) -> Self {
        Request { recorder: Arc::clone(recorder), status: None }
    }

    pub(crate) fn answered(mut self, status: u16) {
        self.status = Some(status);
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let mut counts = self.recorder.lock();
        match self.status {
            Some(status) => *counts.by_status.entry(status).or_default() += 1,
            None => counts.unanswered += 1,
        }
    }
}

impl Entry {
    /// For [`Recorder::start`] alone, which has counted it.
    pub(super) fn new(recorder: &Arc<Recorder>) -> Self {
        Entry { recorder: Arc::clone(recorder), outcome: Outcome::Cancelled }
    }

    /// The answer is whole: its last byte was handed to the socket. `by_limit` says that the
    /// request's limit ended it.
    pub(crate) fn complete(mut self, by_limit: bool) {
        self.outcome = Outcome::Completed { by_limit };
    }

    /// A fault ended it.
    pub(crate) fn fail(mut self) {
        self.outcome = Outcome::Failed;
    }

    /// It waits for a slot.
    pub(crate) fn wait(&self) -> Waiting {
        self.recorder.lock().waiting += 1;
        Waiting(Arc::clone(&self.recorder))
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut counts = self.recorder.lock();
        counts.active -= 1;
        match self.outcome {
            Outcome::Completed { by_limit } => {
                counts.completed += 1;
                counts.completed_by_limit += u64::from(by_limit);
            }
            Outcome::Failed => counts.failed += 1,
            Outcome::Cancelled => counts.cancelled += 1,
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(recorder: &Recorder) -> bool {
        let ledger = recorder.snapshot(0);
        ledger.started == ledger.completed + ledger.cancelled + ledger.failed + ledger.active
    }

    #[test]
    fn each_generation_has_one_outcome_and_the_equation_holds_in_between() {
        let recorder = Arc::new(Recorder::default());
        let entries: Vec<Entry> = (0..3).map(|_| recorder.start(None, 1).0).collect();
        for (index, entry) in entries.into_iter().enumerate() {
            assert!(holds(&recorder));
            match index {
                0 => entry.complete(false),
                1 => entry.fail(),
                _ => drop(entry),
            }
        }
        assert!(holds(&recorder));
        let ledger = recorder.snapshot(0);
        assert_eq!((ledger.completed, ledger.failed, ledger.cancelled, ledger.peak_active), (1, 1, 1, 3));
    }

    #[test]
    fn a_reset_keeps_what_is_under_way() {
        let recorder = Arc::new(Recorder::default());
        let (entry, _) = recorder.start(Some("a"), 1);
        let waiting = entry.wait();
        recorder.start(None, 1).0.complete(true);
        recorder.reset();
        let ledger = recorder.snapshot(9);
        assert_eq!((ledger.started, ledger.active, ledger.waiting, ledger.completed), (1, 1, 1, 0));
        assert!(ledger.starts.is_empty() && ledger.attempts_by_request_id.is_empty());
        drop(waiting);
        entry.complete(false);
        assert!(holds(&recorder));
    }

    #[test]
    fn attempts_are_counted_by_request_id() {
        let recorder = Arc::new(Recorder::default());
        let attempts: Vec<u64> = ["a", "b", "a"].iter().map(|id| recorder.start(Some(id), 1).1).collect();
        assert_eq!(attempts, [1, 1, 2]);
        let ledger = recorder.snapshot(9);
        assert_eq!(ledger.attempts_by_request_id, [("a".to_owned(), 2), ("b".to_owned(), 1)].into());
        assert_eq!(recorder.snapshot(1).attempts_by_request_id, [("b".to_owned(), 1)].into(), "the newest");
    }

    #[test]
    fn a_request_that_is_dropped_without_a_status_is_counted_too() {
        let recorder = Arc::new(Recorder::default());
        Request::received(&recorder).answered(429);
        drop(Request::received(&recorder));
        let ledger = recorder.snapshot(0);
        assert_eq!((ledger.requests_by_status["429"], ledger.unanswered), (1, 1));
    }
}
