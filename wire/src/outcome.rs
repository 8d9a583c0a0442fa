//! How a request for the model ended, in the words of metrics and logs.

/// How a request for the model ended. Each ends in exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Delivered whole.
    Success,
    /// Rejected at once: its user has too much under way.
    UserLimit,
    /// Rejected at once: no turn was free, and the queue was full or its wait too long.
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

    /// The word in metrics and logs.
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

    /// Whether it counts as an error: the client neither got what it asked for nor left by itself.
    #[must_use]
    pub fn is_error(self) -> bool {
        !matches!(self, Outcome::Success | Outcome::Disconnected)
    }
}
