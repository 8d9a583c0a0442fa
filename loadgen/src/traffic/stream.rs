//! One stream, from the request to its last byte.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use wire::sse::{self, DecodeError, Decoder, Event};
use wire::stream::{CompletionEvent, Progress};

use super::ExpectedAnswer;
use super::excerpt::excerpt;
use super::whole_answer::read_whole;
use crate::http::{self, Endpoint};
use crate::measure::{StreamEnd, StreamGuard, StreamLog};

/// The request of every stream of a run.
#[derive(Debug, Clone)]
pub struct StreamPlan {
    /// The server.
    pub endpoint: Endpoint,
    /// Usually `POST`.
    pub method: String,
    /// `/chat/stream`.
    pub path: String,
    /// Headers besides `Host` and `Connection`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// A stream that takes longer counts as failed.
    pub timeout: Duration,
    /// The kind of answer that is expected.
    pub answer: ExpectedAnswer,
}

impl StreamPlan {
    /// Default body of a request.
    pub const BODY: &str = r#"{"messages":[{"role":"user","content":"test"}]}"#;
}

/// When a client disconnects before the end of its stream, if it does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disconnect {
    /// After this many tokens.
    pub after_tokens: Option<u32>,
    /// At this time.
    pub at: Option<Instant>,
}

/// Opens one stream that was due at `due`, reads it to its end and counts it. Dropped, it closes the stream, which
/// counts as still open.
pub async fn open_stream(plan: Arc<StreamPlan>, due: Instant, log: Arc<StreamLog>, leaving: Disconnect) -> StreamEnd {
    let mut guard = log.begin(due);
    let limit = Instant::now() + plan.timeout;
    let (until, at_limit) = match leaving.at {
        Some(at) if at < limit => (at, StreamEnd::Disconnected),
        _ => (limit, StreamEnd::Failed("timed out")),
    };
    let reading = exchange(&plan, &mut guard, leaving.after_tokens);
    let ended = tokio::time::timeout_at(until.into(), reading).await.unwrap_or(at_limit);
    guard.end(ended);
    ended
}

async fn exchange(plan: &StreamPlan, guard: &mut StreamGuard, disconnect_after: Option<u32>) -> StreamEnd {
    let request = plan.endpoint.request(&plan.method, &plan.path, &plan.headers, plan.body.clone());
    let mut exchange = match http::send(&plan.endpoint, request).await {
        Ok(exchange) => exchange,
        Err(error) => return StreamEnd::Failed(error.cause()),
    };
    let status = exchange.response.status();
    let method = exchange.response.headers().get(wire::STREAM_METHOD_HEADER).and_then(|value| value.to_str().ok());
    guard.answered(status.as_u16(), method);
    if status.is_success() && plan.answer == ExpectedAnswer::Stream && is_event_stream(&exchange.response) {
        return read_events(exchange.response.body_mut(), guard, disconnect_after).await;
    }
    if status.is_success() && plan.answer == ExpectedAnswer::Whole {
        return read_whole(exchange.response.body_mut(), guard).await;
    }
    let ended =
        if status.is_success() { StreamEnd::Failed(NO_EVENT_STREAM) } else { StreamEnd::Refused(status.as_u16()) };
    if guard.wants_answer(ended) {
        guard.keep_answer(ended, &beginning(&mut exchange.response).await);
    }
    ended
}

/// The cause that is counted for a 2xx answer that is not an event stream.
pub const NO_EVENT_STREAM: &str = "no event stream";

/// Whether the answer has the media type of an event stream, compared as in RFC 9110: without case and parameters.
fn is_event_stream(response: &Response<Incoming>) -> bool {
    let value = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(sse::CONTENT_TYPE)
}

/// The media type and the beginning of an answer that is not a stream.
async fn beginning(response: &mut Response<Incoming>) -> String {
    const WAIT_MAX: Duration = Duration::from_millis(250);
    let content_type = response.headers().get(CONTENT_TYPE).cloned();
    let content_type = content_type.as_ref().and_then(|value| value.to_str().ok());
    let frame = tokio::time::timeout(WAIT_MAX, response.body_mut().frame()).await;
    let piece = if let Ok(Some(Ok(frame))) = &frame { frame.data_ref() } else { None };
    excerpt(content_type, piece.map(|piece| &piece[..]).unwrap_or_default())
}

/// Largest event that is read, in bytes (2 MiB): an image fits, and a hundred endless events do not exhaust the
/// memory.
const EVENT_BYTES_MAX: usize = 2 * 1024 * 1024;

async fn read_events(body: &mut Incoming, guard: &mut StreamGuard, disconnect_after: Option<u32>) -> StreamEnd {
    let mut decoder = Decoder::new(EVENT_BYTES_MAX);
    let mut events = Vec::new();
    let mut reader = EventReader::default();
    let mut tokens = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return StreamEnd::Failed("broke off") };
        let Some(piece) = frame.data_ref() else { continue };
        if let Err(error) = decoder.decode(piece, &mut events) {
            let too_large = matches!(error, DecodeError::TooLarge { .. });
            return StreamEnd::Failed(if too_large { "event over 2 MiB" } else { "not readable" });
        }
        for event in events.drain(..) {
            match reader.read(&event) {
                EventKind::Token => {
                    guard.token();
                    tokens += 1;
                    if disconnect_after == Some(tokens) {
                        return StreamEnd::Disconnected;
                    }
                }
                EventKind::Done => return whole(guard, StreamEnd::Completed),
                EventKind::Error => return StreamEnd::Failed("error event"),
                EventKind::NoToken => {}
            }
        }
    }
    // Some servers omit the blank line after their last event.
    let last = decoder.finish().ok().flatten().and_then(|part| part.event);
    match last.map(|event| reader.read(&event)) {
        Some(EventKind::Token) => guard.token(),
        Some(EventKind::Error) => return StreamEnd::Failed("error event"),
        Some(EventKind::Done) => return whole(guard, StreamEnd::Completed),
        Some(EventKind::NoToken) | None => {}
    }
    if reader.is_complete_without_done() { whole(guard, StreamEnd::CompletedWithoutDone) } else { StreamEnd::Truncated }
}

/// A complete stream without a token counts as failed.
fn whole(guard: &StreamGuard, ended: StreamEnd) -> StreamEnd {
    if guard.has_token() { ended } else { StreamEnd::Failed("ended without a token") }
}

enum EventKind {
    Token,
    NoToken,
    Done,
    Error,
}

/// Reads the events of one stream, in any dialect.
#[derive(Default)]
struct EventReader {
    progress: Progress,
    /// Whether there was an event of a dialect that marks the end of a stream: the servers' own, or OpenAI's.
    has_end: bool,
}

impl EventReader {
    /// Classifies the next event. The servers' own dialect is recognized by its first member and not parsed, to save
    /// processor time for the server under test.
    fn read(&mut self, event: &Event) -> EventKind {
        let is_own = event.name.is_none() && event.data.starts_with(r#"{"content":"#);
        // A quote inside the text is escaped.
        if is_own && !event.data.contains(r#""error""#) {
            self.has_end = true;
            let is_empty = event.data.starts_with(r#"{"content":""}"#);
            return if is_empty { EventKind::NoToken } else { EventKind::Token };
        }
        let read = CompletionEvent::read(event);
        read.iter().for_each(|read| self.progress.note(read));
        match read {
            Ok(CompletionEvent::Done) => EventKind::Done,
            Ok(CompletionEvent::Error(_)) => EventKind::Error,
            Ok(CompletionEvent::Chunk(chunk)) => {
                self.has_end = true;
                // OpenAI's first chunk has only a role, the last only a finish reason or the usage.
                if chunk.generates { EventKind::Token } else { EventKind::NoToken }
            }
            Ok(CompletionEvent::Other) if event.data.is_empty() => EventKind::NoToken,
            // Another dialect: every event is a token.
            Ok(CompletionEvent::Other) | Err(_) => EventKind::Token,
        }
    }

    /// Whether a stream that ended here without `[DONE]` is complete: after a finish reason, by the same rule as in
    /// the relay, or in a dialect without an end marker.
    fn is_complete_without_done(&self) -> bool {
        self.progress.is_whole() || !self.has_end
    }
}
