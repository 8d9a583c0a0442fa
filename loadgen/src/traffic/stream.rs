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

use super::whole_answer::read_whole;
use crate::http::{self, Endpoint};
use crate::measure::{StreamEnd, StreamGuard, StreamLog};

/// What every stream of a run asks for.
#[derive(Debug, Clone)]
pub struct StreamPlan {
    /// The server.
    pub endpoint: Endpoint,
    /// `POST`, mostly.
    pub method: String,
    /// `/chat/stream`.
    pub path: String,
    /// Headers besides `Host` and `Connection`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// A stream that is not whole by then counts as failed.
    pub timeout: Duration,
    /// What a good answer is.
    pub answer: ExpectedAnswer,
}

/// What a good answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedAnswer {
    /// An event stream that is whole.
    Stream,
    /// A body that reports no error, of an endpoint that does not stream.
    Whole,
}

impl StreamPlan {
    /// Default body of a stream: the source's.
    pub const BODY: &str = r#"{"messages":[{"role":"user","content":"test"}]}"#;
}

/// When a client leaves before its stream has ended, if it does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disconnect {
    /// After so many tokens.
    pub after_tokens: Option<u32>,
    /// At this time, whatever it has got by then.
    pub at: Option<Instant>,
}

/// Opens one stream that was due at `due`, reads it to its end and counts it. Dropped, it closes the
/// stream, which counts as open until then.
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

/// What is counted for an answer of 2xx that is no event stream: a page, a whole JSON answer, nothing.
pub const NO_EVENT_STREAM: &str = "no event stream";

/// Whether the answer says that it is one. Its type is compared as RFC 9110 has it: without regard to case
/// and to parameters.
fn is_event_stream(response: &Response<Incoming>) -> bool {
    let value = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(sse::CONTENT_TYPE)
}

/// The type and the first characters of an answer that is no stream, as far as they come at once.
async fn beginning(response: &mut Response<Incoming>) -> String {
    const CHARS_MAX: usize = 160;
    const MOMENT: Duration = Duration::from_millis(250);
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mut text = content_type.map_or_else(String::new, |content_type| format!("{content_type}: "));
    if let Ok(Some(Ok(frame))) = tokio::time::timeout(MOMENT, response.body_mut().frame()).await {
        let piece = frame.data_ref().map(|piece| &piece[..piece.len().min(4 * CHARS_MAX)]).unwrap_or_default();
        text += &String::from_utf8_lossy(piece);
    }
    // On one line, and nothing in it that a terminal obeys.
    let shown = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    shown.take(CHARS_MAX).collect::<String>().trim_end().to_owned()
}

/// Largest event that is read, in bytes (2 MiB): an image fits, and a hundred streams that send an event
/// without end hold no more than a machine has.
const EVENT_BYTES_MAX: usize = 2 * 1024 * 1024;

async fn read_events(body: &mut Incoming, guard: &mut StreamGuard, disconnect_after: Option<u32>) -> StreamEnd {
    let mut decoder = Decoder::new(EVENT_BYTES_MAX);
    let mut events = Vec::new();
    let mut reader = Reader::default();
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
                Reading::Token => {
                    guard.token();
                    tokens += 1;
                    if disconnect_after == Some(tokens) {
                        return StreamEnd::Disconnected;
                    }
                }
                Reading::Done => return whole(guard, StreamEnd::Completed),
                Reading::Error => return StreamEnd::Failed("error event"),
                Reading::NoToken => {}
            }
        }
    }
    // Some servers leave out the blank line behind their last event.
    let last = decoder.finish().ok().flatten().and_then(|part| part.event);
    match last.map(|event| reader.read(&event)) {
        Some(Reading::Token) => guard.token(),
        Some(Reading::Error) => return StreamEnd::Failed("error event"),
        Some(Reading::Done) => return whole(guard, StreamEnd::Completed),
        Some(Reading::NoToken) | None => {}
    }
    if reader.is_whole_without_done() { whole(guard, StreamEnd::CompletedWithoutDone) } else { StreamEnd::Truncated }
}

/// A stream that ended whole and brought nothing has failed all the same.
fn whole(guard: &StreamGuard, ended: StreamEnd) -> StreamEnd {
    if guard.has_token() { ended } else { StreamEnd::Failed("ended without a token") }
}

enum Reading {
    Token,
    NoToken,
    Done,
    Error,
}

/// Reads the events of one stream, in any dialect.
#[derive(Default)]
struct Reader {
    progress: Progress,
    /// There was an event of a dialect that says when a stream is whole: the servers' own, or OpenAI's.
    has_end: bool,
}

impl Reader {
    /// Reads the next event. The servers' own dialect is told by its first member and not parsed: the time
    /// would be taken from the machine that the server under test runs on.
    fn read(&mut self, event: &Event) -> Reading {
        let is_own = event.name.is_none() && event.data.starts_with(r#"{"content":"#);
        // A quote inside the text has a backslash before it.
        if is_own && !event.data.contains(r#""error""#) {
            self.has_end = true;
            let is_empty = event.data.starts_with(r#"{"content":""}"#);
            return if is_empty { Reading::NoToken } else { Reading::Token };
        }
        let read = CompletionEvent::read(event);
        read.iter().for_each(|read| self.progress.note(read));
        match read {
            Ok(CompletionEvent::Done) => Reading::Done,
            Ok(CompletionEvent::Error(_)) => Reading::Error,
            Ok(CompletionEvent::Chunk(chunk)) => {
                self.has_end = true;
                // OpenAI's first chunk has only a role, its last only a reason or the usage.
                if chunk.generates { Reading::Token } else { Reading::NoToken }
            }
            Ok(CompletionEvent::Other) if event.data.is_empty() => Reading::NoToken,
            // Some other server's dialect: an event is a token.
            Ok(CompletionEvent::Other) | Err(_) => Reading::Token,
        }
    }

    /// Whether a stream is whole that has ended in order here, without `[DONE]`: after a finish reason, by
    /// the rule that the relay has too, or in a dialect that knows no other end.
    fn is_whole_without_done(&self) -> bool {
        self.progress.is_whole() || !self.has_end
    }
}
