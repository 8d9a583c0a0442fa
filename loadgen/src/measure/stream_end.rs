//! How a stream ended.

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEnd {
    /// Whole, and said so: `[DONE]`.
    Completed,
    /// Whole by the order of its end, without `[DONE]`.
    CompletedWithoutDone,
    /// After a 200, neither whole nor with an error.
    Truncated,
    /// For this cause.
    Failed(&'static str),
    /// With this HTTP status in place of a stream.
    Refused(u16),
    /// Closed by the client, which had what it wanted.
    Disconnected,
    /// Open until the run was over.
    StillOpen,
}

impl StreamEnd {
    /// The word by which failures are counted.
    pub(super) fn failure(self) -> Option<String> {
        match self {
            StreamEnd::Failed(cause) => Some(cause.to_owned()),
            StreamEnd::Refused(status) => Some(format!("status {status}")),
            _ => None,
        }
    }
}
