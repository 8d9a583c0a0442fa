//! From a failure to a response of actix. What a client learns of it is decided in `gateway/src/http_error.rs`.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use gateway::HttpError;

pub(crate) use gateway::{Failure, UpstreamFailure};

/// The response to a request that failed.
#[derive(Debug)]
pub(crate) struct ErrorResponse {
    failure: Failure,
    attempts: u32,
}

impl ErrorResponse {
    /// The response to a request for which the vendor was called `attempts` times.
    pub(crate) fn after(attempts: u32, failure: Failure) -> Self {
        ErrorResponse { failure, attempts }
    }
}

impl<F: Into<Failure>> From<F> for ErrorResponse {
    fn from(failure: F) -> Self {
        Self::after(1, failure.into())
    }
}

impl fmt::Display for ErrorResponse {
    /// For the log: the client gets less.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(formatter)
    }
}

impl ResponseError for ErrorResponse {
    fn error_response(&self) -> HttpResponse {
        let HttpError { status, headers, body } = self.failure.to_http(self.attempts);
        let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY));
        add_headers(&mut response, &headers);
        response.body(body)
    }
}

/// Adds headers to an answer.
pub(crate) fn add_headers(response: &mut HttpResponseBuilder, headers: &[(String, String)]) {
    for (name, value) in headers {
        response.append_header((name.as_str(), value.as_str()));
    }
}
