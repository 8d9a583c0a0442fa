//! One answer of the idle server: whether it streams, how fast, and what its headers say of the platform.

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use tokio::time::timeout_at;

use super::seen::IdleStream;
use crate::http::{self, Endpoint, HttpError, Receive};
use crate::traffic::Request;

/// How much is kept of a body, in bytes: enough to quote it where it is not what was asked for.
const BYTES_KEPT: usize = 640;

/// How long an answer is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looking {
    /// Until its first chunk.
    pub(super) first_chunk: Duration,
    /// After its first chunk.
    pub(super) rest: Duration,
}

/// Reads one answer.
///
/// # Errors
/// [`HttpError`] if there is no head of an answer; `None` if there is none by the time of the first chunk.
pub(super) async fn look(
    endpoint: &Endpoint,
    request: &Request,
    looking: Looking,
) -> Result<Option<IdleStream>, HttpError> {
    let began = Instant::now();
    let mut until = began + looking.first_chunk;
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
            seen.broke_off = frame.is_some();
            break;
        };
        let Some(piece) = frame.data_ref().filter(|piece| !piece.is_empty()) else { continue };
        last = Instant::now();
        if first.is_none() {
            first = Some(last);
            until = last + looking.rest;
        }
        seen.chunks += 1;
        seen.beginning.extend_from_slice(&piece[..piece.len().min(BYTES_KEPT - seen.beginning.len())]);
        // A server that never pauses would keep this loop from its time-out.
        if last >= until {
            break;
        }
    }
    let first = first.unwrap_or_else(Instant::now);
    seen.first_chunk = first - began;
    seen.lasted = last.saturating_duration_since(first);
    seen.took = began.elapsed();
    Ok(Some(seen))
}

/// The same request, from a client that accepts compressed answers.
pub(super) fn accepting_gzip(request: &Request) -> Request {
    let mut request = request.clone();
    request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("accept-encoding"));
    request.headers.push(("accept-encoding".to_owned(), "gzip".to_owned()));
    request
}
