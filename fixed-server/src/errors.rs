use std::time::Duration;

use axum::Json;
use axum::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use resilience::{BreakerOpen, DeadlinePassed, Rejected, UserRejected};
use wire::error::{ErrorBody, Refusal};
use wire::retry_after::whole_seconds;
use wire::stream::ReportedFailure;

use crate::bodies::NoRoom;
use crate::outcome::Outcome;
use crate::sessions::DatabaseError;

/// Why a request was not answered as asked: one type a cause. [`Failure::http_status`] and
/// [`Failure::body`] below are the one place where a failure becomes HTTP, or an error event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The request is at fault.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// This user has too much under way already.
    #[error("over the user's limit: {0}")]
    UserLimit(#[from] UserRejected),
    /// We are full: no memory for the request's body.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    /// We are full: no turn free, and no place in the queue or no turn in time.
    #[error(transparent)]
    Admission(#[from] Rejected),
    /// The request took longer than we promise.
    #[error("the request took longer than the SLA")]
    SlaTimeout(#[from] DeadlinePassed),
    /// The vendor is at fault.
    #[error(transparent)]
    Upstream(#[from] UpstreamFailure),
    /// The vendor refused the request with a 4xx: the client gets it as what it is.
    #[error("the vendor refused the request with status {status}: {}", body.error.message)]
    Rejected {
        status: u16,
        body: ErrorBody,
        /// When the vendor says to come back, if it does.
        retry_after: Option<Duration>,
    },
    /// The database of keys and sessions gave no answer. Only calls that need it fail.
    #[error("the database failed: {0}")]
    Database(#[from] DatabaseError),
    /// The server is about to stop.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// The server is at fault: a bug.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

/// What went wrong with the vendor. The texts here are for the log: they may name addresses and
/// errors of libraries. Clients get [`UpstreamFailure::public_text`].
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum UpstreamFailure {
    #[error(transparent)]
    BreakerOpen(#[from] BreakerOpen),
    #[error("cannot connect to the vendor: {0}")]
    Unreachable(String),
    #[error("the vendor did not answer within the call timeout")]
    CallTimeout,
    #[error("the vendor sent no token in time")]
    FirstTokenTimeout,
    #[error("the vendor fell silent in mid-answer")]
    IdleTimeout,
    #[error("the connection to the vendor broke: {0}")]
    Broken(String),
    #[error("the stream took longer than any may")]
    TotalTimeout,
    #[error("the vendor answered with status {status}")]
    Status {
        status: u16,
        /// When it says to come back, if it does.
        retry_after: Option<Duration>,
    },
    #[error("the vendor's answer cannot be read: {0}")]
    Malformed(String),
    #[error("the vendor's stream ended without [DONE]")]
    Truncated,
    #[error("the vendor reported an error: {0}")]
    Reported(ReportedFailure),
}

impl Failure {
    /// The HTTP status of this failure, before the first token.
    fn http_status(&self) -> u16 {
        match self {
            Failure::Refused(refusal) => refusal.status(),
            Failure::UserLimit(_)
            | Failure::NoRoom(_)
            | Failure::Admission(Rejected::QueueFull { .. } | Rejected::TooLong { .. }) => 429,
            Failure::Admission(Rejected::QueueTimeout { .. }) | Failure::SlaTimeout(_) => 504,
            // Who asks for too many tokens is refused when the request is read.
            Failure::Admission(Rejected::OverBurst(_)) => 500,
            Failure::Upstream(_) => 502,
            Failure::Rejected { status, .. } => *status,
            Failure::Database(_) | Failure::ShuttingDown => 503,
            Failure::Internal(_) => 500,
        }
    }

    /// What the client is told: the body of an HTTP error, or of the event that ends a stream.
    pub(crate) fn body(&self) -> ErrorBody {
        let text = match self {
            Failure::Refused(refusal) => return refusal.body(),
            Failure::Rejected { body, .. } => return body.clone(),
            Failure::Upstream(cause) => {
                return ErrorBody::new("upstream_failure", cause.public_text()).with_code(cause.code());
            }
            Failure::UserLimit(UserRejected::Rate { .. }) => "too many requests from you, come back later",
            Failure::UserLimit(UserRejected::InFlight { .. }) => "too many requests from you at once, end one first",
            Failure::UserLimit(UserRejected::TableFull { .. }) => "too many users at once, come back later",
            Failure::NoRoom(NoRoom::User) => "too much memory is taken by your requests, end one first",
            Failure::NoRoom(NoRoom::All) => "too much memory is taken by requests already, come back later",
            Failure::Admission(Rejected::QueueFull { .. }) => "too many requests are waiting already, come back later",
            Failure::Admission(Rejected::TooLong { .. }) => "the wait would be too long, come back later",
            Failure::Admission(Rejected::QueueTimeout { .. }) => "no turn came free in time",
            Failure::SlaTimeout(_) => "the request took too long",
            Failure::Database(_) => "keys and sessions cannot be looked up at the moment",
            Failure::ShuttingDown => "the server is shutting down, try another",
            Failure::Internal(_) | Failure::Admission(Rejected::OverBurst(_)) => {
                "the server failed, through no fault of the request"
            }
        };
        ErrorBody::new(self.kind(), text)
    }

    /// The cause in one word, for error bodies and the label of `llm_errors_total`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Failure::Refused(_) => "invalid_request_error",
            Failure::Rejected { .. } => "upstream_rejected",
            Failure::Upstream(_) => "upstream_failure",
            Failure::Database(_) => "database_unavailable",
            _ => self.outcome().as_str(),
        }
    }

    /// How a request with this failure ended, when nothing had been sent.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Failure::UserLimit(_) | Failure::NoRoom(NoRoom::User) => Outcome::UserLimit,
            Failure::NoRoom(NoRoom::All)
            | Failure::Admission(Rejected::QueueFull { .. } | Rejected::TooLong { .. }) => Outcome::Overloaded,
            Failure::Admission(Rejected::QueueTimeout { .. }) => Outcome::QueueTimeout,
            Failure::SlaTimeout(_) => Outcome::SlaTimeout,
            Failure::Upstream(UpstreamFailure::CallTimeout | UpstreamFailure::FirstTokenTimeout) => {
                Outcome::CallTimeout
            }
            Failure::Upstream(_) => Outcome::UpstreamFailure,
            Failure::Rejected { .. } => Outcome::UpstreamRejected,
            Failure::ShuttingDown => Outcome::ShuttingDown,
            // A request that is refused before it is one for the model never gets as far as an outcome. Nor does
            // one whose key cannot be checked; one whose session cannot be written down has failed by our fault.
            Failure::Refused(_)
            | Failure::Database(_)
            | Failure::Internal(_)
            | Failure::Admission(Rejected::OverBurst(_)) => Outcome::Internal,
        }
    }

    /// How a stream ended that this failure broke after its first token.
    pub(crate) fn stream_outcome(&self) -> Outcome {
        if matches!(self, Failure::ShuttingDown) { Outcome::ShuttingDown } else { Outcome::StreamError }
    }

    /// Whether the same request may go better at once or soon: when the vendor failed, or says that it
    /// is too busy. What it refused for another reason it would refuse again, and our own limits are no
    /// failures of the vendor.
    pub(crate) fn another_attempt_may_help(&self) -> bool {
        match self {
            Failure::Upstream(UpstreamFailure::BreakerOpen(_) | UpstreamFailure::TotalTimeout) => false,
            Failure::Upstream(UpstreamFailure::Status { status, .. }) => *status >= 500,
            Failure::Upstream(_) => true,
            Failure::Rejected { status, .. } => matches!(status, 408 | 429),
            _ => false,
        }
    }

    /// When to come back, where that is known.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Failure::UserLimit(rejected) => rejected.retry_after().or(Some(RETRY_AFTER_UNKNOWN)),
            Failure::Admission(Rejected::QueueFull { retry_after }) => Some(*retry_after),
            Failure::Admission(Rejected::TooLong { predicted }) => Some(*predicted),
            Failure::Upstream(UpstreamFailure::BreakerOpen(open)) => Some(open.retry_after),
            Failure::Upstream(UpstreamFailure::Status { retry_after, .. }) => *retry_after,
            Failure::Rejected { retry_after, .. } => *retry_after,
            Failure::NoRoom(_) | Failure::Database(_) | Failure::ShuttingDown => Some(RETRY_AFTER_UNKNOWN),
            _ => None,
        }
    }

    fn header(&self) -> Option<(HeaderName, String)> {
        match self {
            Failure::Refused(Refusal::Method { allowed, .. }) => Some((ALLOW, (*allowed).to_owned())),
            Failure::Refused(Refusal::ApiKey) => Some((WWW_AUTHENTICATE, "Bearer".to_owned())),
            // Of ours, and of a refusal that is passed on; what another failure of the vendor's says about
            // coming back is for us.
            Failure::Upstream(UpstreamFailure::Status { .. }) => None,
            _ => self.retry_after().map(|after| (RETRY_AFTER, whole_seconds(after))),
        }
    }
}

/// Where it is not known when to come back: soon, and not at once.
const RETRY_AFTER_UNKNOWN: Duration = Duration::from_secs(1);

impl UpstreamFailure {
    fn code(&self) -> &'static str {
        match self {
            UpstreamFailure::Unreachable(_) => "unreachable",
            UpstreamFailure::CallTimeout => "call_timeout",
            UpstreamFailure::FirstTokenTimeout => "first_token_timeout",
            UpstreamFailure::IdleTimeout => "idle_timeout",
            UpstreamFailure::Broken(_) => "connection_broken",
            UpstreamFailure::BreakerOpen(_) => "breaker_open",
            UpstreamFailure::TotalTimeout => "total_timeout",
            UpstreamFailure::Status { .. } => "bad_status",
            UpstreamFailure::Malformed(_) => "malformed_answer",
            UpstreamFailure::Truncated => "truncated_answer",
            UpstreamFailure::Reported(_) => "reported_error",
        }
    }

    fn public_text(&self) -> &'static str {
        match self {
            UpstreamFailure::Unreachable(_) => "the model's vendor cannot be reached",
            UpstreamFailure::CallTimeout | UpstreamFailure::FirstTokenTimeout => {
                "the model's vendor did not answer in time"
            }
            UpstreamFailure::IdleTimeout => "the model's vendor stopped answering",
            UpstreamFailure::Broken(_) => "the connection to the model's vendor broke",
            UpstreamFailure::BreakerOpen(_) => "the model's vendor has failed too often, come back later",
            UpstreamFailure::TotalTimeout => "the answer took longer than any may",
            UpstreamFailure::Status { .. } | UpstreamFailure::Reported(_) => "the model's vendor failed",
            UpstreamFailure::Malformed(_) => "the model's vendor sent an answer that cannot be read",
            UpstreamFailure::Truncated => "the model's vendor ended its answer before it was whole",
        }
    }
}

impl From<BreakerOpen> for Failure {
    fn from(open: BreakerOpen) -> Self {
        UpstreamFailure::from(open).into()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.http_status()).unwrap_or(StatusCode::BAD_GATEWAY);
        let mut response = (status, Json(self.body())).into_response();
        if let Some((name, value)) = self.header()
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
