//! Failures, and the one place that maps them to HTTP.

use std::time::Duration;

use axum::Json;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use resilience::{BreakerOpen, DeadlinePassed, Rejected, UserRejected};
use wire::error::{ErrorBody, Refusal};
use wire::refused::{Refused, SHOULD_RETRY_HEADER};
use wire::retry_after::whole_seconds;

use crate::bodies::NoRoom;
use crate::outcome::Outcome;
use crate::sessions::DatabaseError;

pub(crate) use gateway::UpstreamFailure;

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
    #[error("the vendor refused the request with status {}: {}", .0.status, .0.reason)]
    Rejected(Box<Refused>),
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
            Failure::Rejected(refused) => refused.status,
            Failure::Database(_) | Failure::ShuttingDown => 503,
            Failure::Internal(_) => 500,
        }
    }

    /// What the client is told: the body of an HTTP error, or of the event that ends a stream.
    pub(crate) fn body(&self) -> ErrorBody {
        let text = match self {
            Failure::Refused(refusal) => return refusal.body(),
            Failure::Rejected(refused) => return refused.error_body(),
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
            Failure::Rejected(_) => "upstream_rejected",
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
            Failure::Rejected(_) => Outcome::UpstreamRejected,
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
    /// is too busy. What it refused for another reason it would refuse again, what it answers in a form
    /// that cannot be taken it would answer again, and our own limits are no failures of the vendor.
    pub(crate) fn another_attempt_may_help(&self) -> bool {
        match self {
            Failure::Upstream(failure) => failure.another_attempt_may_help(),
            Failure::Rejected(refused) => refused.another_attempt_may_help(),
            _ => false,
        }
    }

    /// Whether a client is to be told that another attempt of its own is useless: after `attempts` of ours
    /// it would multiply them, and what is certain to fail again is paid for each time.
    fn is_final_after(&self, attempts: u32) -> bool {
        match self {
            Failure::Upstream(UpstreamFailure::BreakerOpen(_)) => false,
            Failure::Upstream(failure) => attempts > 1 || !failure.another_attempt_may_help(),
            Failure::Rejected(refused) => attempts > 1 || refused.is_final(),
            Failure::SlaTimeout(_) => attempts > 1,
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
            Failure::Upstream(UpstreamFailure::Status(refused)) => refused.retry_after,
            Failure::Rejected(refused) => refused.retry_after,
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
            Failure::Upstream(UpstreamFailure::Status(_)) => None,
            _ => self.retry_after().map(|after| (RETRY_AFTER, whole_seconds(after))),
        }
    }
}

/// Where it is not known when to come back: soon, and not at once.
const RETRY_AFTER_UNKNOWN: Duration = Duration::from_secs(1);

impl From<BreakerOpen> for Failure {
    fn from(open: BreakerOpen) -> Self {
        UpstreamFailure::from(open).into()
    }
}

impl Failure {
    /// The answer to a request for which `attempts` were made.
    pub(crate) fn into_response_after(self, attempts: u32) -> Response {
        let is_final = self.is_final_after(attempts);
        let mut response = self.into_response();
        if is_final {
            response.headers_mut().insert(SHOULD_RETRY, HeaderValue::from_static("false"));
        }
        response
    }
}

const SHOULD_RETRY: HeaderName = HeaderName::from_static(SHOULD_RETRY_HEADER);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.http_status()).unwrap_or(StatusCode::BAD_GATEWAY);
        let header = self.header();
        let mut response = match self {
            Failure::Rejected(refused) => rejected(status, *refused),
            failure => (status, Json(failure.body())).into_response(),
        };
        if let Some((name, value)) = header
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// A refusal of the vendor's: its JSON as it came, and what it says of its quota.
fn rejected(status: StatusCode, mut refused: Refused) -> Response {
    let mut response = match refused.json.take() {
        Some(json) => (status, [(CONTENT_TYPE, "application/json")], json).into_response(),
        None => (status, Json(refused.error_body())).into_response(),
    };
    add_headers(&mut response, refused.rate_limits);
    response
}

/// Adds headers of the vendor's to an answer.
pub(crate) fn add_headers(response: &mut Response, headers: Vec<(String, String)>) {
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
}
