use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use wire::sse::{self, Decoder, Event};
use wire::stream::{Progress, VendorEvent};

use crate::http::{self, Endpoint};
use crate::measure::{Ended, StreamGuard, StreamLog};

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
}

impl StreamPlan {
    /// Default body of a stream: the source's.
    pub const BODY: &str = r#"{"messages":[{"role":"user","content":"test"}]}"#;
}

/// Opens one stream that was due at `due`, reads it to its end and counts it. With `leave_after`,
/// the client leaves after so many tokens. Dropped, it closes the stream and counts it as left.
pub async fn open_stream(plan: Arc<StreamPlan>, due: Instant, log: Arc<StreamLog>, leave_after: Option<u32>) -> Ended {
    let mut guard = log.begin(due);
    let reading = exchange(&plan, &mut guard, leave_after);
    let ended = tokio::time::timeout(plan.timeout, reading).await.unwrap_or(Ended::Failed("timed out"));
    guard.end(ended);
    ended
}

async fn exchange(plan: &StreamPlan, guard: &mut StreamGuard, leave_after: Option<u32>) -> Ended {
    let request = plan.endpoint.request(&plan.method, &plan.path, &plan.headers, plan.body.clone());
    let mut exchange = match http::send(&plan.endpoint, request).await {
        Ok(exchange) => exchange,
        Err(error) => return Ended::Failed(error.cause()),
    };
    let status = exchange.response.status();
    let method = exchange.response.headers().get(wire::STREAM_METHOD_HEADER).and_then(|value| value.to_str().ok());
    guard.answered(status.as_u16(), method);
    if !status.is_success() {
        return Ended::Refused(status.as_u16());
    }
    let content_type = exchange.response.headers().get(CONTENT_TYPE);
    let is_events = content_type.is_some_and(|value| value.as_bytes().starts_with(sse::CONTENT_TYPE.as_bytes()));
    let body = exchange.response.body_mut();
    if is_events { read_events(body, guard, leave_after).await } else { read_whole(body, guard).await }
}

async fn read_events(body: &mut Incoming, guard: &mut StreamGuard, leave_after: Option<u32>) -> Ended {
    let mut decoder = Decoder::new(sse::EVENT_BYTES_MAX);
    let mut events = Vec::new();
    let mut progress = Progress::default();
    let mut tokens = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Ended::Failed("broke off") };
        let Some(piece) = frame.data_ref() else { continue };
        if decoder.decode(piece, &mut events).is_err() {
            return Ended::Failed("not readable");
        }
        for event in events.drain(..) {
            match read_event(&event, &mut progress) {
                Reading::Token => {
                    guard.token();
                    tokens += 1;
                    if leave_after == Some(tokens) {
                        return Ended::Left;
                    }
                }
                Reading::Done => return Ended::Completed,
                Reading::Error => return Ended::Failed("error event"),
                Reading::NoToken => {}
            }
        }
    }
    // Some servers leave out the blank line behind their last event.
    let last = decoder.finish().ok().flatten().and_then(|part| part.event);
    if let Some(event) = last {
        match read_event(&event, &mut progress) {
            Reading::Token => guard.token(),
            Reading::Error => return Ended::Failed("error event"),
            Reading::Done | Reading::NoToken => {}
        }
    }
    if progress.is_whole() { Ended::Completed } else { Ended::Truncated }
}

enum Reading {
    Token,
    NoToken,
    Done,
    Error,
}

/// Reads an event of either dialect. The servers' own is told by its first member and not parsed:
/// the time would be taken from the machine that the server under test runs on.
fn read_event(event: &Event, progress: &mut Progress) -> Reading {
    if event.name.as_deref() == Some("error") {
        return Reading::Error;
    }
    if event.data.starts_with(r#"{"content":"#) {
        return Reading::Token;
    }
    let read = VendorEvent::read(event);
    read.iter().for_each(|read| progress.note(read));
    match read {
        Ok(VendorEvent::Done) => Reading::Done,
        Ok(VendorEvent::Error(_)) => Reading::Error,
        // OpenAI's first chunk has only a role, its last only a reason or the usage.
        Ok(VendorEvent::Chunk(chunk)) if chunk.text.is_none() => Reading::NoToken,
        Ok(VendorEvent::Other) if event.data.is_empty() => Reading::NoToken,
        // Some other server's dialect: an event is a token.
        Ok(VendorEvent::Chunk(_) | VendorEvent::Other) | Err(_) => Reading::Token,
    }
}

/// A server that does not stream: its answer counts as one token, when it is whole.
async fn read_whole(body: &mut Incoming, guard: &mut StreamGuard) -> Ended {
    match body.collect().await {
        Ok(_) => {
            guard.token();
            Ended::Completed
        }
        Err(_) => Ended::Failed("broke off"),
    }
}
