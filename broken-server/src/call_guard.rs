//! The guard that gives every request for the model exactly one outcome, even when it is dropped.

use std::sync::Arc;
use std::time::Instant;

use gateway::{ActiveCall, KeyHash, LlmMetrics, OpenStream, UserPermit};
use resilience::OutcomeGuard;
use wire::outcome::Outcome;

use crate::errors::Failure;

/// A request for the model. It has exactly one outcome, also when its client disconnects: then nothing runs but `drop`.
#[derive(Debug)]
pub(crate) struct CallGuard {
    metrics: Arc<LlmMetrics>,
    request_id: String,
    begun: Instant,
    /// The open stream, from its first token on.
    open: Option<OpenStream>,
    /// The active call of a request without a permit. Dropped before the outcome is recorded.
    active: Option<ActiveCall>,
    /// The user's permit, where users have limits.
    user_permit: Option<Arc<UserPermit<KeyHash>>>,
    /// None once the outcome has been recorded, and where other code records it.
    outcome: Option<OutcomeGuard<Outcome>>,
}

impl CallGuard {
    /// Begins a request, and counts it.
    pub(crate) fn begin(metrics: Arc<LlmMetrics>, request_id: String) -> Self {
        metrics.call();
        let now = Instant::now();
        let record = {
            let (metrics, request_id) = (Arc::clone(&metrics), request_id.clone());
            move |outcome: Outcome| {
                metrics.outcome(outcome);
                let took_ms = now.elapsed().as_millis() as u64;
                tracing::debug!(request_id, outcome = outcome.as_str(), took_ms, "request ended");
            }
        };
        let outcome = OutcomeGuard::new(Arc::new(record), Outcome::Disconnected, Outcome::Internal);
        CallGuard { outcome: Some(outcome), ..Self::of(metrics, request_id, now) }
    }

    /// Begins a request whose outcome other code records, and counts it.
    pub(crate) fn begin_without_outcome(metrics: Arc<LlmMetrics>, request_id: String) -> Self {
        metrics.call();
        Self::of(metrics, request_id, Instant::now())
    }

    fn of(metrics: Arc<LlmMetrics>, request_id: String, begun: Instant) -> Self {
        CallGuard { metrics, request_id, begun, open: None, active: None, user_permit: None, outcome: None }
    }

    /// The request holds its user's permit to its end: that of a stream is the end of the stream.
    pub(crate) fn hold(&mut self, user_permit: Option<Arc<UserPermit<KeyHash>>>) {
        self.user_permit = user_permit;
    }

    /// From here on the call is active, without a permit.
    pub(crate) fn call_without_permit(&mut self) {
        self.active = Some(ActiveCall::without_permit(Arc::clone(&self.metrics)));
    }

    /// Counts a token of the stream.
    pub(crate) fn token(&mut self) {
        let first_token = || OpenStream::new(Arc::clone(&self.metrics), self.begun.elapsed());
        self.open.get_or_insert_with(first_token).token();
    }

    /// The answer is complete.
    pub(crate) fn succeeded(&mut self) {
        self.record(Outcome::Success);
    }

    /// The request failed before anything was sent.
    pub(crate) fn failed(&mut self, failure: &Failure) {
        tracing::debug!(request_id = self.request_id, %failure, "a call failed");
        self.record(failure.outcome());
    }

    /// The stream failed after its first token.
    pub(crate) fn stream_failed(&mut self, failure: &Failure) {
        tracing::info!(request_id = self.request_id, %failure, "a stream failed");
        self.record(failure.stream_outcome());
    }

    fn record(&mut self, outcome: Outcome) {
        if let Some(guard) = self.outcome.take() {
            guard.record(outcome);
        }
    }
}
