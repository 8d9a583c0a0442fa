//! From a failure to a response of axum. What a client learns of it is decided in `gateway/src/http_error.rs`.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use gateway::HttpError;

pub(crate) use gateway::{Failure, UpstreamFailure};

/// The response to a request that failed.
#[derive(Debug)]
pub(crate) struct ErrorResponse(HttpError);

impl ErrorResponse {
    /// The response to a request for which the vendor was called `attempts` times.
    pub(crate) fn after(attempts: u32, failure: &Failure) -> Self {
        ErrorResponse(failure.to_http(attempts))
    }
}

impl<F: Into<Failure>> From<F> for ErrorResponse {
    fn from(failure: F) -> Self {
        Self::after(1, &failure.into())
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        let HttpError { status, headers, body } = self.0;
        let mut response = Response::new(body.into());
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        add_headers(&mut response, headers);
        response
    }
}

/// Adds headers to an answer.
pub(crate) fn add_headers(response: &mut Response, headers: Vec<(String, String)>) {
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
}
