//! How each request ends, exactly once.

use std::sync::Arc;
use std::time::Instant;

use gateway::LlmMetrics;
use resilience::{ErrorRate, OutcomeGuard};
pub(crate) use wire::outcome::Outcome;

use crate::call::Call;
use crate::errors::Failure;

// ANCHOR: lost-cleanup
/// Records the outcome of a request that begins now, however it ends: of a future that is dropped after a disconnect,
/// only this guard's `drop` runs. It also hands the result of a session's call to the task that stores it.
pub(crate) fn guard(metrics: &Arc<LlmMetrics>, errors: &Arc<ErrorRate>, call: &Call) -> OutcomeGuard<Outcome> {
    let (metrics, errors) = (metrics.clone(), errors.clone());
    let (request_id, progress, begun) = (call.request_id.clone(), call.progress.clone(), Instant::now());
    let session = call.session.clone();
    let record = move |outcome: Outcome| {
        let took = begun.elapsed();
        metrics.outcome(outcome);
        if let Some(call) = &session {
            call.ended(outcome, took);
        }
        // A call that the breaker rejected, or whose SLA passed in the queue, says nothing about the vendor. If it
        // counted as the vendor's failure, a server that is not ready because of failures would stay so.
        if let Some(failed) = outcome.failed_by_vendor().filter(|_| progress.sent()) {
            errors.note(failed);
        }
        tracing::info!(
            request_id,
            outcome = outcome.as_str(),
            attempts = progress.attempts(),
            queued_ms = progress.queued_ms(),
            took_ms = took.as_millis() as u64,
            "request ended"
        );
    };
    // FIX lost-cleanup: `record` runs in the guard's `drop`, and nowhere else. Whatever ends the request drops the guard:
    // the end of its handler, of its stream, or the disconnect of its client, after which no line of the handler runs.
    OutcomeGuard::new(Arc::new(record), Outcome::Disconnected, Outcome::Internal)
}
// ANCHOR_END: lost-cleanup

/// Records the outcome of a request for the model that was rejected before a call was made of it.
pub(crate) fn rejected(metrics: &LlmMetrics, request_id: &str, failure: &Failure) {
    let outcome = failure.outcome();
    metrics.call();
    metrics.outcome(outcome);
    tracing::info!(request_id, outcome = outcome.as_str(), %failure, "request ended");
}
