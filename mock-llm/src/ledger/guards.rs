//! Guards that count how requests and generations end, even if they are dropped.

use std::sync::Arc;

use super::LedgerCounters;

/// Counts a request. Dropped before it has a status, it counts as unanswered.
#[derive(Debug)]
pub(crate) struct RequestGuard {
    counters: Arc<LedgerCounters>,
    status: Option<u16>,
}

/// Counts an active generation. Dropped without an outcome, it counts as cancelled: its client has disconnected.
#[derive(Debug)]
pub(crate) struct GenerationGuard {
    counters: Arc<LedgerCounters>,
    outcome: Outcome,
}

/// Counts a generation as waiting for a slot, until it is dropped.
#[derive(Debug)]
pub(crate) struct WaitingGuard(Arc<LedgerCounters>);

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Completed { by_limit: bool },
    Failed,
    Cancelled,
}

impl RequestGuard {
    pub(crate) fn received(counters: &Arc<LedgerCounters>) -> Self {
        RequestGuard { counters: Arc::clone(counters), status: None }
    }

    pub(crate) fn answered(mut self, status: u16) {
        self.status = Some(status);
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let mut counts = self.counters.lock();
        match self.status {
            Some(status) => *counts.by_status.entry(status).or_default() += 1,
            None => counts.unanswered += 1,
        }
    }
}

impl GenerationGuard {
    /// Counts a generation that starts now, for the client's `request_id` if it sent one. Returns also how many
    /// have started for that id, this one included.
    pub(crate) fn start(counters: &Arc<LedgerCounters>, request_id: Option<&str>, prompt_tokens: u64) -> (Self, u64) {
        let attempt = counters.generation_started(request_id, prompt_tokens);
        (GenerationGuard { counters: Arc::clone(counters), outcome: Outcome::Cancelled }, attempt)
    }

    /// The answer was sent completely. `by_limit`: it ended because of the limit in the request.
    pub(crate) fn complete(mut self, by_limit: bool) {
        self.outcome = Outcome::Completed { by_limit };
    }

    /// A fault ended it.
    pub(crate) fn fail(mut self) {
        self.outcome = Outcome::Failed;
    }

    /// Counts it as waiting for a slot.
    pub(crate) fn wait(&self) -> WaitingGuard {
        self.counters.lock().waiting += 1;
        WaitingGuard(Arc::clone(&self.counters))
    }
}

impl Drop for GenerationGuard {
    fn drop(&mut self) {
        let mut counts = self.counters.lock();
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

impl Drop for WaitingGuard {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balances(counters: &LedgerCounters) -> bool {
        let ledger = counters.snapshot(0);
        ledger.started == ledger.completed + ledger.cancelled + ledger.failed + ledger.active
    }

    #[test]
    fn each_generation_has_one_outcome_and_the_counts_balance() {
        let counters = Arc::new(LedgerCounters::default());
        let guards: Vec<GenerationGuard> = (0..3).map(|_| GenerationGuard::start(&counters, None, 1).0).collect();
        for (index, guard) in guards.into_iter().enumerate() {
            assert!(balances(&counters));
            match index {
                0 => guard.complete(false),
                1 => guard.fail(),
                _ => drop(guard),
            }
        }
        assert!(balances(&counters));
        let ledger = counters.snapshot(0);
        assert_eq!((ledger.completed, ledger.failed, ledger.cancelled, ledger.peak_active), (1, 1, 1, 3));
    }

    #[test]
    fn a_reset_keeps_active_generations() {
        let counters = Arc::new(LedgerCounters::default());
        let (guard, _) = GenerationGuard::start(&counters, Some("a"), 1);
        let waiting = guard.wait();
        GenerationGuard::start(&counters, None, 1).0.complete(true);
        counters.reset();
        let ledger = counters.snapshot(9);
        assert_eq!((ledger.started, ledger.active, ledger.waiting, ledger.completed), (1, 1, 1, 0));
        assert!(ledger.starts.is_empty() && ledger.attempts_by_request_id.is_empty());
        drop(waiting);
        guard.complete(false);
        assert!(balances(&counters));
    }

    #[test]
    fn attempts_are_counted_by_request_id() {
        let counters = Arc::new(LedgerCounters::default());
        let attempts: Vec<u64> =
            ["a", "b", "a"].iter().map(|id| GenerationGuard::start(&counters, Some(id), 1).1).collect();
        assert_eq!(attempts, [1, 1, 2]);
        let ledger = counters.snapshot(9);
        assert_eq!(ledger.attempts_by_request_id, [("a".to_owned(), 2), ("b".to_owned(), 1)].into());
        assert_eq!(counters.snapshot(1).attempts_by_request_id, [("b".to_owned(), 1)].into(), "the newest entry");
    }

    #[test]
    fn a_request_dropped_without_a_status_is_unanswered() {
        let counters = Arc::new(LedgerCounters::default());
        RequestGuard::received(&counters).answered(429);
        drop(RequestGuard::received(&counters));
        let ledger = counters.snapshot(0);
        assert_eq!((ledger.requests_by_status["429"], ledger.unanswered), (1, 1));
    }
}
