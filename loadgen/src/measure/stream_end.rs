//! How a stream ended.

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEnd {
    /// Complete, with `[DONE]`.
    Completed,
    /// Complete, without `[DONE]`.
    CompletedWithoutDone,
    /// After a 200, neither complete nor with an error event.
    Truncated,
    /// Failed for this cause.
    Failed(&'static str),
    /// Answered with this HTTP status instead of a stream.
    Refused(u16),
    /// Closed by the client, as planned.
    Disconnected,
    /// Still open at the end of the run.
    StillOpen,
}

impl StreamEnd {
    /// The cause by which failures are counted.
    pub(super) fn failure(self) -> Option<String> {
        match self {
            StreamEnd::Failed(cause) => Some(cause.to_owned()),
            StreamEnd::Refused(status) => Some(format!("status {status}")),
            _ => None,
        }
    }
}
