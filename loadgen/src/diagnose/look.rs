//! One stream of the idle server: whether it streams, how fast, and what its headers say of the platform.

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use tokio::time::timeout_at;

use super::seen::IdleStream;
use crate::http::{self, Endpoint, HttpError, Receive};
use crate::traffic::Request;

/// Reads one stream, at most for `limit`.
///
/// # Errors
/// [`HttpError`] if there is no head of an answer; `None` if there is none within `limit`.
pub(super) async fn look(
    endpoint: &Endpoint,
    request: &Request,
    limit: Duration,
) -> Result<Option<IdleStream>, HttpError> {
    let (began, until) = (Instant::now(), Instant::now() + limit);
    let Request { method, path, headers, body, .. } = request;
    let sent = http::send(endpoint, endpoint.request(method, path, headers, body.clone()), Receive::AtOnce);
    let Ok(sent) = timeout_at(until.into(), sent).await else { return Ok(None) };
    let mut exchange = sent?;
    let head = &exchange.response;
    let headers = head
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let mut seen = IdleStream { status: head.status().as_u16(), headers: headers.collect(), ..IdleStream::default() };
    let (mut first, mut last) = (None, began);
    loop {
        let Ok(frame) = timeout_at(until.into(), exchange.response.body_mut().frame()).await else { break };
        let Some(Ok(frame)) = frame else {
            seen.ended = true;
            break;
        };
        if frame.data_ref().is_some_and(|piece| !piece.is_empty()) {
            last = Instant::now();
            first.get_or_insert(last);
            seen.chunks += 1;
        }
    }
    let first = first.unwrap_or_else(Instant::now);
    seen.first_chunk = first - began;
    seen.lasted = last.saturating_duration_since(first);
    Ok(Some(seen))
}

/// The same request, from a client that accepts compressed answers.
pub(super) fn accepting_gzip(request: &Request) -> Request {
    let mut request = request.clone();
    request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("accept-encoding"));
    request.headers.push(("accept-encoding".to_owned(), "gzip".to_owned()));
    request
}
