//! How a request to the model ended, as in metrics and logs.

/// How a request to the model ended. Each request has exactly one outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Delivered completely.
    Success,
    /// Rejected at once: the user is over a limit.
    UserLimit,
    /// Rejected at once: the queue was full or its predicted wait too long.
    Overloaded,
    /// Timed out in the queue.
    QueueTimeout,
    /// The vendor timed out: the call, or its first token.
    CallTimeout,
    /// The whole request timed out.
    SlaTimeout,
    /// The vendor could not be reached, or failed before the first token.
    UpstreamFailure,
    /// The vendor rejected the request.
    UpstreamRejected,
    /// The stream failed after the first token.
    StreamError,
    /// The client disconnected.
    Disconnected,
    /// The server was shutting down.
    ShuttingDown,
    /// A bug in the server.
    Internal,
}

impl Outcome {
    /// All outcomes: the labels of `llm_outcomes_total`.
    pub const ALL: [Outcome; 12] = [
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

    /// The name in metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
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

    /// Whether the vendor failed the call, if it was asked; `None` if the outcome does not tell.
    #[must_use]
    pub fn failed_by_vendor(self) -> Option<bool> {
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

    /// Whether it counts as an error: the request neither succeeded nor ended because the client disconnected.
    #[must_use]
    pub fn is_error(self) -> bool {
        !matches!(self, Outcome::Success | Outcome::Disconnected)
    }
}
