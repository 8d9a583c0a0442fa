use hyper::header::ALLOW;
use hyper::{Response, StatusCode};
use wire::error::Refusal;

use crate::routes::{AnswerBody, json};

/// Why a request gets no answer of the model. The one place that turns a failure into HTTP.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The request is refused for what it is.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The client stopped sending, or sent no HTTP.
    #[error("the request's body could not be read")]
    Unreadable(#[from] hyper::Error),
}

impl Failure {
    pub(crate) fn into_response(self) -> Response<AnswerBody> {
        let refusal = match self {
            Failure::Refused(refusal) => refusal,
            Failure::Unreadable(error) => Refusal::NotJson(error.to_string()),
        };
        let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = json(status, &refusal.body());
        if let Refusal::Method { allowed, .. } = refusal {
            response.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static(allowed));
        }
        response
    }
}
