use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use wire::error::{ErrorBody, ErrorDetail, Refusal};

/// Why a request was not answered as asked. [`Failure::http_status`] and [`Failure::body`] below are
/// the one place where a failure becomes HTTP, or an error event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The request is at fault.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The vendor is at fault.
    #[error(transparent)]
    Upstream(#[from] UpstreamFailure),
    /// The vendor refused the request with a 4xx: the client gets it as what it is.
    #[error("the vendor refused the request with status {status}: {}", body.error.message)]
    Rejected {
        status: u16,
        body: ErrorBody,
        /// The vendor's `Retry-After`, if it sent one.
        retry_after: Option<String>,
    },
    /// The server is about to stop.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// The server is at fault: a bug.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

/// What went wrong with the vendor. The texts here are for the log: they may name addresses and
/// errors of libraries. Clients get [`UpstreamFailure::public_text`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamFailure {
    #[error("cannot connect to the vendor: {0}")]
    Unreachable(String),
    #[error("the vendor sent no token in time")]
    FirstTokenTimeout,
    #[error("the vendor fell silent in mid-answer")]
    IdleTimeout,
    #[error("the connection to the vendor broke: {0}")]
    Broken(String),
    #[error("the vendor answered with status {0}")]
    Status(u16),
    #[error("the vendor's answer cannot be read: {0}")]
    Malformed(String),
    #[error("the vendor's stream ended without [DONE]")]
    Truncated,
    #[error("the vendor reported an error: {}", .0.message)]
    Reported(ErrorDetail),
}

impl Failure {
    /// The HTTP status of this failure, before the first token.
    fn http_status(&self) -> u16 {
        match self {
            Failure::Refused(refusal) => refusal.status(),
            Failure::Upstream(_) => 502,
            Failure::Rejected { status, .. } => *status,
            Failure::ShuttingDown => 503,
            Failure::Internal(_) => 500,
        }
    }

    /// What the client is told: the body of an HTTP error, or of the event that ends a stream.
    pub(crate) fn body(&self) -> ErrorBody {
        match self {
            Failure::Refused(refusal) => refusal.body(),
            Failure::Upstream(cause) => ErrorBody::new(self.kind(), cause.public_text()).with_code(cause.code()),
            Failure::Rejected { body, .. } => body.clone(),
            Failure::ShuttingDown => ErrorBody::new(self.kind(), "the server is shutting down, try another"),
            Failure::Internal(_) => ErrorBody::new(self.kind(), "the server failed, through no fault of the request"),
        }
    }

    /// What [`Failure::kind`] can be for a call that was begun.
    pub(crate) const CALL_KINDS: [&'static str; 4] =
        ["upstream_failure", "upstream_rejected", "shutting_down", "internal"];

    /// The cause in one word, for error bodies and the label of `llm_errors_total`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Failure::Refused(_) => "invalid_request_error",
            Failure::Upstream(_) => "upstream_failure",
            Failure::Rejected { .. } => "upstream_rejected",
            Failure::ShuttingDown => "shutting_down",
            Failure::Internal(_) => "internal",
        }
    }
}

impl UpstreamFailure {
    fn code(&self) -> &'static str {
        match self {
            UpstreamFailure::Unreachable(_) => "unreachable",
            UpstreamFailure::FirstTokenTimeout => "first_token_timeout",
            UpstreamFailure::IdleTimeout => "idle_timeout",
            UpstreamFailure::Broken(_) => "connection_broken",
            UpstreamFailure::Status(_) => "bad_status",
            UpstreamFailure::Malformed(_) => "malformed_answer",
            UpstreamFailure::Truncated => "truncated_answer",
            UpstreamFailure::Reported(_) => "reported_error",
        }
    }

    fn public_text(&self) -> &'static str {
        match self {
            UpstreamFailure::Unreachable(_) => "the model's vendor cannot be reached",
            UpstreamFailure::FirstTokenTimeout => "the model's vendor did not answer in time",
            UpstreamFailure::IdleTimeout => "the model's vendor stopped answering",
            UpstreamFailure::Broken(_) => "the connection to the model's vendor broke",
            UpstreamFailure::Status(_) | UpstreamFailure::Reported(_) => "the model's vendor failed",
            UpstreamFailure::Malformed(_) => "the model's vendor sent an answer that cannot be read",
            UpstreamFailure::Truncated => "the model's vendor ended its answer before it was whole",
        }
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.http_status()).unwrap_or(StatusCode::BAD_GATEWAY)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Failure::Refused(Refusal::Method { allowed, .. }) => {
                response.insert_header((ALLOW, *allowed));
            }
            Failure::Refused(Refusal::ApiKey) => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer"));
            }
            Failure::Rejected { retry_after: Some(value), .. } => {
                response.insert_header((RETRY_AFTER, value.as_str()));
            }
            Failure::ShuttingDown => {
                response.insert_header((RETRY_AFTER, "1"));
            }
            _ => {}
        }
        response.json(self.body())
    }
}
