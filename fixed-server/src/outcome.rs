//! How each request ends, exactly once.

use std::sync::Arc;
use std::time::Instant;

use resilience::{ErrorRate, OutcomeGuard};
pub(crate) use wire::outcome::Outcome;

use crate::call::Call;
use crate::errors::Failure;
use crate::telemetry::Metrics;

/// Records the outcome of a request that begins now, whatever becomes of it: a future that is dropped
/// because its client left runs nothing but this guard's `drop`. Of a session's call, that is also where
/// its result is handed on.
pub(crate) fn guard(metrics: &Arc<Metrics>, errors: &Arc<ErrorRate>, call: &Call) -> OutcomeGuard<Outcome> {
    let (metrics, errors) = (metrics.clone(), errors.clone());
    let (request_id, progress, begun) = (call.request_id.clone(), call.progress.clone(), Instant::now());
    let session = call.session.clone();
    let record = move |outcome: Outcome| {
        let took = begun.elapsed();
        metrics.outcome(outcome);
        if let Some(call) = &session {
            call.ended(outcome, took);
        }
        // A call that the breaker refused, or whose SLA passed in the queue, says nothing about the vendor.
        // Counted as its failure, a server that says no for that reason would go on saying no.
        if let Some(failed) = verdict_on_the_vendor(outcome).filter(|_| progress.sent()) {
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
    OutcomeGuard::new(Arc::new(record), Outcome::Disconnected, Outcome::Internal)
}

/// Records the outcome of a request for the model that was refused before anything of it was read but its
/// head.
pub(crate) fn refused(metrics: &Metrics, request_id: &str, failure: &Failure) {
    let outcome = failure.outcome();
    metrics.call();
    metrics.outcome(outcome);
    tracing::info!(request_id, outcome = outcome.as_str(), %failure, "request ended");
}

/// Whether the vendor failed a call that reached it; `None` where the outcome says nothing about that.
fn verdict_on_the_vendor(outcome: Outcome) -> Option<bool> {
    match outcome {
        Outcome::Success | Outcome::UpstreamRejected => Some(false),
        Outcome::CallTimeout | Outcome::UpstreamFailure | Outcome::StreamError | Outcome::SlaTimeout => Some(true),
        Outcome::UserLimit
        | Outcome::Overloaded
        | Outcome::QueueTimeout
        | Outcome::Disconnected
        | Outcome::ShuttingDown
        | Outcome::Internal => None,
    }
}
