//! Failures, and the one place that maps them to HTTP.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use resilience::{DeadlinePassed, Rejected};
use wire::error::{ErrorBody, Refusal};
use wire::outcome::Outcome;
use wire::refused::{Refused, SHOULD_RETRY_HEADER};
use wire::retry_after::whole_seconds;

pub(crate) use gateway::UpstreamFailure;

/// Why a request was not answered as asked. [`Failure::http_status`] and [`Failure::body`] below are
/// the one place where a failure becomes HTTP, or an error event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The request is at fault.
    #[error(transparent)]
    Refused(#[from] Refusal),
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
            Failure::Admission(Rejected::QueueFull { .. } | Rejected::TooLong { .. }) => 429,
            Failure::Admission(Rejected::QueueTimeout { .. }) | Failure::SlaTimeout(_) => 504,
            // There is no rate here of which a call could ask too much.
            Failure::Admission(Rejected::OverBurst(_)) => 500,
            Failure::Upstream(_) => 502,
            Failure::Rejected(refused) => refused.status,
            Failure::ShuttingDown => 503,
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
            Failure::Admission(Rejected::QueueFull { .. }) => "too many requests are waiting already, come back later",
            Failure::Admission(Rejected::TooLong { .. }) => "the wait would be too long, come back later",
            Failure::Admission(Rejected::QueueTimeout { .. }) => "no turn came free in time",
            Failure::SlaTimeout(_) => "the request took too long",
            Failure::ShuttingDown => "the server is shutting down, try another",
            Failure::Internal(_) | Failure::Admission(Rejected::OverBurst(_)) => {
                "the server failed, through no fault of the request"
            }
        };
        let kind = if let Failure::Refused(_) = self { "invalid_request_error" } else { self.outcome().as_str() };
        ErrorBody::new(kind, text)
    }

    /// How a request with this failure ended, when nothing had been sent.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Failure::Admission(Rejected::QueueFull { .. } | Rejected::TooLong { .. }) => Outcome::Overloaded,
            Failure::Admission(Rejected::QueueTimeout { .. }) => Outcome::QueueTimeout,
            Failure::SlaTimeout(_) => Outcome::SlaTimeout,
            Failure::Upstream(UpstreamFailure::CallTimeout | UpstreamFailure::FirstTokenTimeout) => {
                Outcome::CallTimeout
            }
            Failure::Upstream(_) => Outcome::UpstreamFailure,
            Failure::Rejected(_) => Outcome::UpstreamRejected,
            Failure::ShuttingDown => Outcome::ShuttingDown,
            // A request that is refused before it is one for the model never gets as far as an outcome.
            Failure::Refused(_) | Failure::Internal(_) | Failure::Admission(Rejected::OverBurst(_)) => {
                Outcome::Internal
            }
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
            Failure::Upstream(failure) => attempts > 1 || !failure.another_attempt_may_help(),
            Failure::Rejected(refused) => attempts > 1 || refused.is_final(),
            Failure::SlaTimeout(_) => attempts > 1,
            _ => false,
        }
    }

    /// The answer to a request for which `attempts` were made.
    pub(crate) fn response_after(&self, attempts: u32) -> HttpResponse {
        let mut response = self.error_response();
        if self.is_final_after(attempts) {
            let value = HeaderValue::from_static("false");
            response.headers_mut().insert(HeaderName::from_static(SHOULD_RETRY_HEADER), value);
        }
        response
    }

    /// When to come back, where that is known.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Failure::Admission(Rejected::QueueFull { retry_after }) => Some(*retry_after),
            Failure::Admission(Rejected::TooLong { predicted }) => Some(*predicted),
            Failure::Upstream(UpstreamFailure::Status(refused)) => refused.retry_after,
            Failure::Rejected(refused) => refused.retry_after,
            Failure::ShuttingDown => Some(RETRY_AFTER_UNKNOWN),
            _ => None,
        }
    }

    fn header(&self) -> Option<(HeaderName, String)> {
        match self {
            Failure::Refused(Refusal::Method { allowed, .. }) => Some((ALLOW, (*allowed).to_owned())),
            Failure::Refused(Refusal::ApiKey) => Some((WWW_AUTHENTICATE, "Bearer".to_owned())),
            // Of ours, and of a refusal that is passed on; what another failure of the vendor's says about
            // coming back is for us.
            Failure::Upstream(_) => None,
            _ => self.retry_after().map(|after| (RETRY_AFTER, whole_seconds(after))),
        }
    }
}

/// Where it is not known when to come back: soon, and not at once.
const RETRY_AFTER_UNKNOWN: Duration = Duration::from_secs(1);

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.http_status()).unwrap_or(StatusCode::BAD_GATEWAY)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(header) = self.header() {
            response.insert_header(header);
        }
        let Failure::Rejected(refused) = self else { return response.json(self.body()) };
        // What the vendor says, as it came.
        add_headers(&mut response, &refused.rate_limits);
        match &refused.json {
            Some(json) => response.content_type("application/json").body(json.clone()),
            None => response.json(self.body()),
        }
    }
}

/// Adds headers of the vendor's to an answer.
pub(crate) fn add_headers(response: &mut HttpResponseBuilder, headers: &[(String, String)]) {
    for (name, value) in headers {
        response.append_header((name.as_str(), value.as_str()));
    }
}
