//! Why a request of a page was refused.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::ALLOW;
use axum::response::{IntoResponse, Response};
use wire::error::{ErrorBody, RequestError};

use crate::session::SessionError;

/// Why a request of a page was refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlaygroundError {
    /// A request that is never right.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A request that the session refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A mistake without a lab has no code that could be shown. 404.
    #[error("'{0}' has no code to show: it has no lab")]
    NoCode(String),
    /// A run with another mistake is there already. 409.
    #[error(
        "the broken server runs with '{0}' already: choose another mistake with POST /api/mistake, or stop it first"
    )]
    OtherMistake(String),
    /// As many pages are open as there may be. 429.
    #[error("{0} pages are open already: close one")]
    TooManyPages(usize),
    /// loadgen is about to end. 503.
    #[error("loadgen is stopping")]
    Stopping,
}

impl PlaygroundError {
    fn status_and_body(&self) -> (u16, ErrorBody) {
        let message = self.to_string();
        let of_request = |param: &str, code: &'static str| {
            ErrorBody::new("invalid_request_error", &*message).with_code(code).with_param(param)
        };
        match self {
            PlaygroundError::Request(error) => (error.status(), error.body()),
            PlaygroundError::Session(error) => match error {
                SessionError::UnknownMistake { .. } => (404, of_request("mistake", "unknown_mistake")),
                SessionError::TooManyStreams { .. } => (422, of_request("count", "too_many_streams")),
                SessionError::NotRunning(_) => (409, ErrorBody::new("conflict", &*message)),
                SessionError::TooManyChecks { .. } => (429, ErrorBody::new("overloaded", &*message)),
                SessionError::Start(_) | SessionError::NoMistakes(_) => {
                    (500, ErrorBody::new("server_error", &*message))
                }
            },
            PlaygroundError::NoCode(_) => (404, of_request("mistake", "no_code")),
            PlaygroundError::OtherMistake(_) => (409, ErrorBody::new("conflict", &*message)),
            PlaygroundError::TooManyPages(_) => (429, ErrorBody::new("overloaded", &*message)),
            PlaygroundError::Stopping => (503, ErrorBody::new("shutting_down", &*message)),
        }
    }
}

impl IntoResponse for PlaygroundError {
    fn into_response(self) -> Response {
        let (status, body) = self.status_and_body();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match self {
            PlaygroundError::Request(RequestError::MethodNotAllowed { allowed, .. }) => {
                (status, [(ALLOW, allowed)], Json(body)).into_response()
            }
            _ => (status, Json(body)).into_response(),
        }
    }
}
