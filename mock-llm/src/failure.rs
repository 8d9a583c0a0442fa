//! Why a request gets no answer of the model, and with which status and error.

use hyper::header::{ALLOW, HeaderValue, RETRY_AFTER};
use hyper::{HeaderMap, StatusCode};
use wire::error::{ErrorBody, RequestError};

use crate::abort::Abort;
use crate::quota_enforcer::OverQuota;
use crate::rate_limit_headers;

/// Why a request gets no answer of the model. [`Failure::into_parts`] is the one place that maps it to HTTP.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The request is not valid.
    #[error(transparent)]
    InvalidRequest(#[from] RequestError),
    /// No such model.
    #[error("The model `{0}` does not exist or you do not have access to it.")]
    UnknownModel(String),
    /// A quota is used up.
    #[error(transparent)]
    OverQuota(#[from] OverQuota),
    /// A fault rule answers with this status, and this `Retry-After` in seconds.
    #[error("the fault rule answers with status {0}")]
    Status(u16, Option<u32>),
    /// No response: because of a fault rule, or because the client has disconnected.
    #[error(transparent)]
    Abort(#[from] Abort),
}

impl Failure {
    /// # Errors
    /// The connection ends without a response.
    pub(crate) fn into_parts(self) -> Result<(StatusCode, HeaderMap, ErrorBody), Abort> {
        let message = self.to_string();
        let mut headers = HeaderMap::new();
        let (status, body) = match self {
            Failure::InvalidRequest(error) => {
                if let RequestError::MethodNotAllowed { allowed, .. } = error {
                    headers.insert(ALLOW, HeaderValue::from_static(allowed));
                }
                (error.status(), error.body())
            }
            Failure::UnknownModel(_) => {
                (404, ErrorBody::new("invalid_request_error", message).with_code("model_not_found"))
            }
            Failure::OverQuota(over) => {
                rate_limit_headers::add(&over.status, &mut headers);
                rate_limit_headers::add_retry_after(over.retry_after, &mut headers);
                let kind = if over.what == "tokens" { "tokens" } else { "requests" };
                (429, ErrorBody::new(kind, message).with_code("rate_limit_exceeded"))
            }
            Failure::Status(status, retry_after) => {
                if let Some(seconds) = retry_after {
                    headers.insert(RETRY_AFTER, seconds.into());
                }
                (status, vendor_error(status))
            }
            Failure::Abort(abort) => return Err(abort),
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Ok((status, headers, body))
    }
}

/// The error that the real API sends when it fails itself.
pub(crate) fn server_error() -> ErrorBody {
    ErrorBody::new("server_error", "The server had an error while processing your request. Sorry about that!")
}

/// The error that the real API sends with this status.
fn vendor_error(status: u16) -> ErrorBody {
    match status {
        429 => ErrorBody::new("requests", "Rate limit reached for requests.").with_code("rate_limit_exceeded"),
        401 => ErrorBody::new("invalid_request_error", "Incorrect API key provided.").with_code("invalid_api_key"),
        400..=499 => ErrorBody::new("invalid_request_error", format!("The request was rejected with status {status}.")),
        _ => server_error(),
    }
}
