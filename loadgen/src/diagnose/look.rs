//! One answer of the idle server: whether it streams, how fast, and what its headers say of the platform.

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use tokio::time::timeout_at;

use super::seen::IdleStream;
use crate::http::{self, Endpoint, HttpError, Receive};
use crate::traffic::Request;

/// How much is kept of a body, in bytes: enough to quote it where it is not what was asked for.
const BYTES_KEPT: usize = 640;

/// Chunks that are enough of any answer: a flood needs no more memory.
const CHUNKS_MAX: usize = 100_000;

/// How long an answer is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looking {
    /// Until its head.
    pub(super) head: Duration,
    /// Until its first chunk.
    pub(super) first_chunk: Duration,
    /// After its first chunk, and after the pause where one follows on it; longer if there were few chunks by then.
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
    let Request { method, path, headers, body, .. } = request;
    let sent = http::send(endpoint, endpoint.request(method, path, headers, body.clone()), Receive::AtOnce);
    let Ok(sent) = timeout_at((began + looking.head).into(), sent).await else { return Ok(None) };
    let mut exchange = sent?;
    // What comes with a late head, comes with it.
    let is_late = began.elapsed() > looking.first_chunk;
    let mut until = if is_late { Instant::now() + looking.rest } else { began + looking.first_chunk };
    let head = &exchange.response;
    let headers = head
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let mut seen = IdleStream { status: head.status().as_u16(), headers: headers.collect(), ..IdleStream::default() };
    let mut chunks = Vec::new();
    loop {
        let Ok(frame) = timeout_at(until.into(), exchange.response.body_mut().frame()).await else { break };
        let Some(Ok(frame)) = frame else {
            seen.ended = true;
            seen.broke_off = frame.is_some();
            break;
        };
        let Some(piece) = frame.data_ref().filter(|piece| !piece.is_empty()) else { continue };
        chunks.push(began.elapsed());
        seen.events += piece.windows(5).filter(|five| five == b"data:").count() as u64;
        seen.beginning.extend_from_slice(&piece[..piece.len().min(BYTES_KEPT - seen.beginning.len())]);
        until = looking.until(&chunks).map_or(until, |since| began + since);
        // A server that never pauses would keep this loop from its time-out.
        if Instant::now() >= until || chunks.len() >= CHUNKS_MAX {
            break;
        }
    }
    seen.set_times(&chunks, began.elapsed());
    Ok(Some(seen))
}

impl Looking {
    /// How long after the request to look, given when its chunks came. `None` if nothing says so yet: the first one may
    /// be a preamble, after which comes the time to the first token.
    fn until(&self, chunks: &[Duration]) -> Option<Duration> {
        /// Chunks that show the pace of a stream.
        const ENOUGH: usize = 10;
        let (first, second) = (chunks.first()?, chunks.get(1));
        if self.rest.is_zero() {
            return Some(*first);
        }
        let begins = second?;
        Some(*begins + if chunks.len() < ENOUGH { self.rest * 2 } else { self.rest })
    }
}

/// The same request, from a client that accepts compressed answers; from one that does not, if this one does.
pub(super) fn with_other_encoding(request: &Request) -> Request {
    let mut request = request.clone();
    let is_encoding = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("accept-encoding");
    let accepts = request.headers.iter().find(is_encoding).is_some_and(|(_, value)| value != "identity");
    request.headers.retain(|header| !is_encoding(&header));
    request.headers.push(("accept-encoding".to_owned(), if accepts { "identity" } else { "gzip" }.to_owned()));
    request
}
