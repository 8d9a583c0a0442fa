//! What went wrong with the vendor.

use std::error::Error as _;

use resilience::BreakerOpen;
use wire::response::InvalidResponse;
use wire::sse::DecodeError;
use wire::stream::{ReportedFailure, StreamEndError};
use wire::upstream_rejection::UpstreamRejection;

/// What went wrong with the vendor. The texts here are for the log: they may name addresses, errors of
/// libraries, and what the vendor says of the cause. Clients get [`UpstreamFailure::public_text`].
#[derive(Debug, Clone, thiserror::Error)]
pub enum UpstreamFailure {
    /// It failed so often that it is not called at the moment.
    #[error(transparent)]
    BreakerOpen(#[from] BreakerOpen),
    /// No connection.
    #[error("cannot connect to the vendor: {0}")]
    Unreachable(String),
    /// No whole answer within the call timeout.
    #[error("the vendor did not answer within the call timeout")]
    CallTimeout,
    /// No token of a stream within the first-token timeout.
    #[error("the vendor sent no token in time")]
    FirstTokenTimeout,
    /// No event within the idle timeout, after the first token.
    #[error("the vendor sent nothing for the idle timeout")]
    IdleTimeout,
    /// The connection was lost.
    #[error("the connection to the vendor was lost: {0}")]
    Broken(String),
    /// The stream was over the total timeout.
    #[error("the stream took longer than the total timeout")]
    TotalTimeout,
    /// An error status that is not about the client's request.
    #[error("the vendor answered with status {}: {}", .0.status, .0.reason)]
    Status(Box<UpstreamRejection>),
    /// A 401: about the key that this server sends, or does not send.
    #[error("the vendor rejected this server's own key (status {}; not the client's key): {}", .0.status, .0.reason)]
    KeyRefused(Box<UpstreamRejection>),
    /// A damaged answer: another one may be intact.
    #[error("the vendor's answer cannot be read: {0}")]
    Malformed(String),
    /// An intact answer of another kind than was asked for.
    #[error("the vendor's answer is not of the kind that was asked for: {0}")]
    UnexpectedFormat(String),
    /// An answer over a limit of this server.
    #[error("the vendor's answer is too large: {0}")]
    TooLarge(String),
    /// The body ended without `[DONE]` and without a finish reason.
    #[error("the vendor's stream was truncated: neither [DONE] nor a finish reason")]
    Truncated,
    /// An error in place of an answer, or in the middle of one.
    #[error("the vendor reported an error: {0}")]
    Reported(ReportedFailure),
}

impl UpstreamFailure {
    /// Whether another attempt at the same request may succeed, at once or soon.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            UpstreamFailure::BreakerOpen(_)
            | UpstreamFailure::TotalTimeout
            | UpstreamFailure::KeyRefused(_)
            | UpstreamFailure::UnexpectedFormat(_)
            | UpstreamFailure::TooLarge(_) => false,
            UpstreamFailure::Status(refused) => refused.is_retryable(),
            UpstreamFailure::Reported(failure) => !failure.is_final(),
            UpstreamFailure::Unreachable(_)
            | UpstreamFailure::CallTimeout
            | UpstreamFailure::FirstTokenTimeout
            | UpstreamFailure::IdleTimeout
            | UpstreamFailure::Broken(_)
            | UpstreamFailure::Malformed(_)
            | UpstreamFailure::Truncated => true,
        }
    }

    /// The cause in one word, for the `code` of an error body.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            UpstreamFailure::Unreachable(_) => "unreachable",
            UpstreamFailure::CallTimeout => "call_timeout",
            UpstreamFailure::FirstTokenTimeout => "first_token_timeout",
            UpstreamFailure::IdleTimeout => "idle_timeout",
            UpstreamFailure::Broken(_) => "connection_broken",
            UpstreamFailure::BreakerOpen(_) => "breaker_open",
            UpstreamFailure::TotalTimeout => "total_timeout",
            UpstreamFailure::Status(_) => "bad_status",
            UpstreamFailure::KeyRefused(_) => "key_refused",
            UpstreamFailure::Malformed(_) | UpstreamFailure::UnexpectedFormat(_) => "malformed_answer",
            UpstreamFailure::TooLarge(_) => "answer_too_large",
            UpstreamFailure::Truncated => "truncated_answer",
            UpstreamFailure::Reported(_) => "reported_error",
        }
    }

    /// The sentence for the client: it names no address and no error of a library.
    #[must_use]
    pub fn public_text(&self) -> &'static str {
        match self {
            UpstreamFailure::Unreachable(_) => "the model's vendor cannot be reached",
            UpstreamFailure::CallTimeout | UpstreamFailure::FirstTokenTimeout => {
                "the model's vendor did not answer in time"
            }
            UpstreamFailure::IdleTimeout => "the model's vendor stopped answering",
            UpstreamFailure::Broken(_) => "the connection to the model's vendor was lost",
            UpstreamFailure::BreakerOpen(_) => "the model's vendor has failed too often; try again later",
            UpstreamFailure::TotalTimeout => "the answer took longer than the limit on streams",
            UpstreamFailure::Status(_) | UpstreamFailure::Reported(_) => "the model's vendor failed",
            UpstreamFailure::KeyRefused(_) => "the model's vendor rejected this server's own key; yours is valid",
            UpstreamFailure::Malformed(_) | UpstreamFailure::UnexpectedFormat(_) => {
                "the model's vendor sent an answer that cannot be read"
            }
            UpstreamFailure::TooLarge(_) => "the model's vendor sent more than this server accepts",
            UpstreamFailure::Truncated => "the model's vendor ended its answer too early",
        }
    }
}

impl From<reqwest::Error> for UpstreamFailure {
    fn from(error: reqwest::Error) -> Self {
        // The error's own text leaves the cause out, and the log needs it.
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        if error.is_connect() { UpstreamFailure::Unreachable(text) } else { UpstreamFailure::Broken(text) }
    }
}

impl From<DecodeError> for UpstreamFailure {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::TooLarge { .. } => UpstreamFailure::TooLarge(format!("{error} (--max-event-bytes)")),
            DecodeError::NotUtf8(_) => UpstreamFailure::Malformed(error.to_string()),
        }
    }
}

impl From<InvalidResponse> for UpstreamFailure {
    fn from(answer: InvalidResponse) -> Self {
        match answer {
            InvalidResponse::Malformed(error) => UpstreamFailure::Malformed(error),
            InvalidResponse::UnexpectedFormat(found) => UpstreamFailure::UnexpectedFormat(found),
            InvalidResponse::Reported(failure) => UpstreamFailure::Reported(failure),
        }
    }
}

impl From<StreamEndError> for UpstreamFailure {
    fn from(fault: StreamEndError) -> Self {
        match fault {
            StreamEndError::Truncated => UpstreamFailure::Truncated,
            StreamEndError::UnexpectedFormat => {
                UpstreamFailure::UnexpectedFormat("a stream was asked for, but the lines are no events".into())
            }
            StreamEndError::Reported(failure) => UpstreamFailure::Reported(failure),
        }
    }
}
