//! Answers that are none.

use std::error::Error;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, Limited};
use wire::response::parse_non_stream_response;
use wire::upstream_rejection::{self, UpstreamRejection};

use super::ANSWER_BYTES_MAX;
use crate::errors::{Failure, UpstreamFailure};

/// The failure that an answer with another status than 2xx is.
pub(super) async fn refusal<B>(response: http::Response<B>) -> Failure
where
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    let (head, body) = response.into_parts();
    let headers: Vec<_> = texts(&head.headers).collect();
    // A refusal whose body cannot be read is still a refusal.
    let refused = Box::new(UpstreamRejection::read(head.status.as_u16(), &headers, &whole(body).await));
    match () {
        () if refused.is_key_rejected() => UpstreamFailure::KeyRefused(refused).into(),
        () if refused.is_client_error() => Failure::Rejected(refused),
        () => UpstreamFailure::Status(refused).into(),
    }
}

/// What the vendor says of its quota, as headers for the client.
pub(super) fn rate_limits(headers: &HeaderMap) -> Vec<(String, String)> {
    upstream_rejection::rate_limits(texts(headers)).collect()
}

/// The failure that a body is where a stream was asked for.
pub(super) async fn no_stream<B>(response: http::Response<B>) -> Failure
where
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    let (head, body) = response.into_parts();
    UpstreamFailure::from(parse_non_stream_response(content_type(&head.headers), &whole(body).await)).into()
}

/// All of a body that is no answer to what was asked, as far as it can be read.
async fn whole<B>(body: B) -> Bytes
where
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    Limited::new(body, ANSWER_BYTES_MAX).collect().await.map(|body| body.to_bytes()).unwrap_or_default()
}

/// The content type; empty where it is missing.
pub(super) fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Headers that are text.
fn texts(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
}
