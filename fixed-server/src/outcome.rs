use std::sync::Arc;
use std::time::Instant;

use resilience::OutcomeGuard;

use crate::sessions::SessionCall;
use crate::telemetry::Metrics;

/// How a request for the model ended. Each ends in exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// Delivered whole.
    Success,
    /// Refused at once: no turn was free and the queue was full.
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
    pub(crate) const ALL: [Outcome; 11] = [
        Outcome::Success,
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

    /// The word in metrics and logs.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Outcome::Success => "success",
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
pub(crate) fn guard(metrics: &Arc<Metrics>, request_id: &str, session: Option<SessionCall>) -> OutcomeGuard<Outcome> {
    let (metrics, request_id, begun) = (metrics.clone(), request_id.to_owned(), Instant::now());
    let record = move |outcome: Outcome| {
        let took = begun.elapsed();
        metrics.outcome(outcome);
        if let Some(call) = &session {
            call.ended(outcome, took);
        }
        tracing::debug!(request_id, outcome = outcome.as_str(), took_ms = took.as_millis() as u64, "request ended");
    };
    OutcomeGuard::new(Arc::new(record), Outcome::Disconnected, Outcome::Internal)
}
