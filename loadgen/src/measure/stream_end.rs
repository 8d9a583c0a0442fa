//! How a stream ended.

use std::fmt;

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEnd {
    /// Complete, with `[DONE]`.
    Completed,
    /// Complete, without `[DONE]`.
    CompletedWithoutDone,
    /// Truncated, and complete for a client that takes the end of the connection for the end of the answer.
    TakenAsComplete,
    /// After a 200, neither complete nor with an error event.
    Truncated,
    /// Failed for this cause.
    Failed(&'static str),
    /// Answered with this HTTP status, which is not 2xx.
    Refused(u16),
    /// Closed by the client, as planned.
    Disconnected,
    /// Still open at the end of the run.
    StillOpen,
}

impl StreamEnd {
    /// Whether the client has what it takes for a complete answer.
    #[must_use]
    pub fn is_completed(self) -> bool {
        matches!(self, StreamEnd::Completed | StreamEnd::CompletedWithoutDone | StreamEnd::TakenAsComplete)
    }

    /// The cause by which failures are counted; `None` for any other end.
    #[must_use]
    pub fn failure(self) -> Option<String> {
        matches!(self, StreamEnd::Failed(_) | StreamEnd::Refused(_)).then(|| self.to_string())
    }
}

impl fmt::Display for StreamEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StreamEnd::Completed | StreamEnd::CompletedWithoutDone => f.write_str("completed"),
            StreamEnd::TakenAsComplete => f.write_str("taken as complete"),
            StreamEnd::Truncated => f.write_str("truncated"),
            StreamEnd::Failed(cause) => f.write_str(cause),
            StreamEnd::Refused(status) => write!(f, "status {status}"),
            StreamEnd::Disconnected => f.write_str("disconnected"),
            StreamEnd::StillOpen => f.write_str("still open"),
        }
    }
}
