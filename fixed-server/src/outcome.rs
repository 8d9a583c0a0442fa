use std::sync::Arc;
use std::time::Instant;

use resilience::OutcomeGuard;

use crate::call::Call;
use crate::state::AppState;

/// How a request for the model ended. Each ends in exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// Delivered whole.
    Success,
    /// Refused at once: its user has too much under way.
    UserLimit,
    /// Refused at once: no turn was free, and the queue was full or its wait too long.
    Overloaded,
    /// Waited for a turn in vain.
    QueueTimeout,
    /// The vendor took too long, for the call or for its first token.
    CallTimeout,
    /// The whole request took too long.
    SlaTimeout,
    /// The vendor could not be reached, or failed before the first token.
    UpstreamFailure,
    /// The vendor refused the request.
    UpstreamRejected,
    /// The stream broke after the first token.
    StreamError,
    /// The client left.
    Disconnected,
    /// The server was told to stop.
    ShuttingDown,
    /// A bug of ours.
    Internal,
}

impl Outcome {
    /// All of them: the labels of `llm_outcomes_total`.
    pub(crate) const ALL: [Outcome; 12] = [
        Outcome::Success,
        Outcome::UserLimit,
        Outcome::Overloaded,
        Outcome::QueueTimeout,
        Outcome::CallTimeout,
        Outcome::SlaTimeout,
        Outcome::UpstreamFailure,
        Outcome::UpstreamRejected,
        Outcome::StreamError,
        Outcome::Disconnected,
        Outcome::ShuttingDown,
        Outcome::Internal,
    ];

    /// Whether the vendor failed; `None` where it was not to blame and not asked, or not to its end.
    fn verdict_on_the_vendor(self) -> Option<bool> {
        match self {
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

    /// The word in metrics and logs.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Outcome::Success => "success",
            Outcome::UserLimit => "user_limit",
            Outcome::Overloaded => "overloaded",
            Outcome::QueueTimeout => "queue_timeout",
            Outcome::CallTimeout => "call_timeout",
            Outcome::SlaTimeout => "sla_timeout",
            Outcome::UpstreamFailure => "upstream_failure",
            Outcome::UpstreamRejected => "upstream_rejected",
            Outcome::StreamError => "stream_error",
            Outcome::Disconnected => "disconnected",
            Outcome::ShuttingDown => "shutting_down",
            Outcome::Internal => "internal",
        }
    }
}

/// Records the outcome of a request that begins now, whatever becomes of it: a future that is dropped
/// because its client left runs nothing but this guard's `drop`. Of a session's call, that is also where
/// its result is handed on.
pub(crate) fn guard(state: &AppState, call: &Call) -> OutcomeGuard<Outcome> {
    let (metrics, errors) = (state.metrics.clone(), state.errors.clone());
    let (request_id, progress, begun) = (call.request_id.clone(), call.progress.clone(), Instant::now());
    let session = call.session.clone();
    let record = move |outcome: Outcome| {
        let took = begun.elapsed();
        metrics.outcome(outcome);
        if let Some(call) = &session {
            call.ended(outcome, took);
        }
        if let Some(failed) = outcome.verdict_on_the_vendor() {
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
