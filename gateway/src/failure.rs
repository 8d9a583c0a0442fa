//! Why a request was not answered as asked: one variant a cause.

use std::time::Duration;

use resilience::{AdmissionError, BreakerOpen, DeadlinePassed, Retryable, UserLimitError};
use wire::error::RequestError;
use wire::outcome::Outcome;
use wire::upstream_rejection::UpstreamRejection;

use crate::body_memory_full::BodyMemoryFull;
use crate::upstream_failure::UpstreamFailure;

/// Why a request was not answered as asked. [`to_http`](Failure::to_http) says what the client gets.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The request is invalid.
    #[error(transparent)]
    InvalidRequest(#[from] RequestError),
    /// The user is over a limit of their own.
    #[error("over the user's limit: {0}")]
    UserLimit(#[from] UserLimitError),
    /// The server is full: no memory for the request's body.
    #[error(transparent)]
    BodyMemory(#[from] BodyMemoryFull),
    /// The server is full: the queue is, or no permit came in time.
    #[error(transparent)]
    Admission(#[from] AdmissionError),
    /// The request took longer than the SLA allows.
    #[error("the request took longer than the SLA")]
    SlaTimeout(#[from] DeadlinePassed),
    /// The vendor failed.
    #[error(transparent)]
    Upstream(#[from] UpstreamFailure),
    /// The vendor rejected the request with a 4xx, which is passed on.
    #[error("the vendor rejected the request with status {}: {}", .0.status, .0.reason)]
    Rejected(Box<UpstreamRejection>),
    /// The database of keys and sessions did not answer, for the reason given. Only calls that need it fail.
    #[error("the database failed: {0}")]
    Database(String),
    /// The server is stopping.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// A bug in the server.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

impl From<BreakerOpen> for Failure {
    fn from(open: BreakerOpen) -> Self {
        UpstreamFailure::from(open).into()
    }
}

/// When to come back where that is not known: soon, but not at once.
const RETRY_AFTER_UNKNOWN: Duration = Duration::from_secs(1);

impl Failure {
    /// The outcome of a request with this failure, if nothing of an answer had been sent.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Failure::UserLimit(_) | Failure::BodyMemory(BodyMemoryFull::User) => Outcome::UserLimit,
            Failure::BodyMemory(BodyMemoryFull::All)
            | Failure::Admission(AdmissionError::QueueFull { .. } | AdmissionError::WaitTooLong { .. }) => {
                Outcome::Overloaded
            }
            Failure::Admission(AdmissionError::QueueTimeout { .. }) => Outcome::QueueTimeout,
            Failure::SlaTimeout(_) => Outcome::SlaTimeout,
            Failure::Upstream(UpstreamFailure::CallTimeout | UpstreamFailure::FirstTokenTimeout) => {
                Outcome::CallTimeout
            }
            Failure::Upstream(_) => Outcome::UpstreamFailure,
            Failure::Rejected(_) => Outcome::UpstreamRejected,
            Failure::ShuttingDown => Outcome::ShuttingDown,
            // An invalid request is refused before it counts as one for the model, and so is one whose key cannot be
            // looked up. One whose session cannot be written down failed through this server's fault.
            Failure::InvalidRequest(_)
            | Failure::Database(_)
            | Failure::Internal(_)
            | Failure::Admission(AdmissionError::ExceedsBurst(_)) => Outcome::Internal,
        }
    }

    /// The outcome of a stream that this failure ended after its first token.
    #[must_use]
    pub fn stream_outcome(&self) -> Outcome {
        if matches!(self, Failure::ShuttingDown) { Outcome::ShuttingDown } else { Outcome::StreamError }
    }

    /// Whether an attempt of the client's own is useless after `attempts` of this server: it would multiply them, and
    /// what is certain to fail again is paid for each time.
    #[must_use]
    pub fn is_final_after(&self, attempts: u32) -> bool {
        match self {
            Failure::Upstream(UpstreamFailure::BreakerOpen(_)) => false,
            Failure::Upstream(failure) => attempts > 1 || !failure.is_retryable(),
            Failure::Rejected(refused) => attempts > 1 || refused.is_final(),
            Failure::SlaTimeout(_) => attempts > 1,
            _ => false,
        }
    }
}

impl Retryable for Failure {
    /// Whether another attempt at the same request may succeed, at once or soon: the vendor failed, or says that it
    /// is too busy. What it rejected for another reason it would reject again, an answer that cannot be used would
    /// come again, and this server's own limits are no failures of the vendor.
    fn is_retryable(&self) -> bool {
        match self {
            Failure::Upstream(failure) => failure.is_retryable(),
            Failure::Rejected(refused) => refused.is_retryable(),
            _ => false,
        }
    }

    /// When to come back, where that is known.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Failure::UserLimit(rejected) => rejected.retry_after().or(Some(RETRY_AFTER_UNKNOWN)),
            Failure::Admission(AdmissionError::QueueFull { retry_after }) => Some(*retry_after),
            Failure::Admission(AdmissionError::WaitTooLong { predicted }) => Some(*predicted),
            Failure::Upstream(UpstreamFailure::BreakerOpen(open)) => Some(open.retry_after),
            Failure::Upstream(UpstreamFailure::Status(refused)) => refused.retry_after,
            Failure::Rejected(refused) => refused.retry_after,
            Failure::BodyMemory(_) | Failure::Database(_) | Failure::ShuttingDown => Some(RETRY_AFTER_UNKNOWN),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16) -> Box<UpstreamRejection> {
        Box::new(UpstreamRejection::read(status, &[("retry-after", "7")], b""))
    }

    #[test]
    fn only_the_vendors_failures_are_worth_another_attempt() {
        for (failure, worth_it) in [
            (Failure::from(UpstreamFailure::CallTimeout), true),
            (UpstreamFailure::Status(refused(503)).into(), true),
            (Failure::Rejected(refused(429)), true),
            (Failure::Rejected(refused(404)), false),
            (UpstreamFailure::UnexpectedFormat(String::new()).into(), false),
            (DeadlinePassed.into(), false),
            (AdmissionError::QueueFull { retry_after: Duration::ZERO }.into(), false),
            (Failure::ShuttingDown, false),
        ] {
            assert_eq!(failure.is_retryable(), worth_it, "{failure}");
        }
    }

    #[test]
    fn failures_are_final_after_several_attempts_rejections_never() {
        for (failure, after_one, after_two) in [
            (Failure::from(UpstreamFailure::CallTimeout), false, true),
            (UpstreamFailure::UnexpectedFormat(String::new()).into(), true, true),
            (BreakerOpen { retry_after: Duration::ZERO }.into(), false, false),
            (Failure::Rejected(refused(429)), false, true),
            (DeadlinePassed.into(), false, true),
            (AdmissionError::QueueFull { retry_after: Duration::ZERO }.into(), false, false),
            (Failure::Database(String::new()), false, false),
        ] {
            assert_eq!([failure.is_final_after(1), failure.is_final_after(2)], [after_one, after_two], "{failure}");
        }
    }

    #[test]
    fn a_stream_that_breaks_off_is_a_stream_error_whatever_broke_it() {
        assert_eq!(Failure::from(UpstreamFailure::CallTimeout).outcome(), Outcome::CallTimeout);
        assert_eq!(Failure::from(UpstreamFailure::CallTimeout).stream_outcome(), Outcome::StreamError);
        assert_eq!(Failure::ShuttingDown.stream_outcome(), Outcome::ShuttingDown);
    }
}
