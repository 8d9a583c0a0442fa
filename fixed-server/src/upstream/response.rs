//! Reads the vendor's responses: what all of them have, and those that are not the answer.

use http::HeaderMap;
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use wire::response::parse_non_stream_response;
use wire::upstream_rejection::{self, UpstreamRejection};

use crate::errors::{Failure, UpstreamFailure};

/// Largest body that is accepted from the vendor, in bytes (8 MiB): a million tokens of text.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The whole body.
///
/// # Errors
/// [`UpstreamFailure::TooLarge`], and [`UpstreamFailure::Broken`] where it is truncated.
pub(super) async fn body(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(UpstreamFailure::from)? {
        if body.len() + piece.len() > BODY_BYTES_MAX {
            return Err(UpstreamFailure::TooLarge(format!("it is larger than {BODY_BYTES_MAX} bytes")).into());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

// ANCHOR: typed-refusal
/// The failure that a response with a status other than 2xx stands for.
pub(super) async fn refusal(response: Response) -> Failure {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    // A refusal whose body cannot be read is still a refusal.
    let body = body(response).await.unwrap_or_default();
    let headers: Vec<_> = texts(&headers).collect();
    let refused = Box::new(UpstreamRejection::read(status, &headers, &body));
    // FIX one-error-for-all: one variant a cause. What each means for retries, for the client and for the metrics follows
    // from its type, and is decided in gateway/src/failure.rs.
    match () {
        () if refused.is_key_rejected() => UpstreamFailure::KeyRefused(refused).into(),
        () if refused.is_client_error() => Failure::Rejected(refused),
        () => UpstreamFailure::Status(refused).into(),
    }
}
// ANCHOR_END: typed-refusal

/// The failure that a whole body stands for where a stream was requested.
pub(super) async fn no_stream(response: Response) -> Failure {
    let kind = content_type(response.headers()).to_owned();
    UpstreamFailure::from(parse_non_stream_response(&kind, &body(response).await.unwrap_or_default())).into()
}

/// What the vendor says of its quota, as headers for the client.
pub(super) fn rate_limits(headers: &HeaderMap) -> Vec<(String, String)> {
    upstream_rejection::rate_limits(texts(headers)).collect()
}

/// The content type; empty where it is missing.
pub(super) fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Headers that are text.
fn texts(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
}
