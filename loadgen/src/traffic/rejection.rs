//! Answers with another status than 2xx.

use std::time::Duration;

use bytes::BytesMut;
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::Value;
use wire::stream::CompletionEvent;

use super::Reads;
use super::body::BodyReader;
use super::excerpt::excerpt;
use crate::measure::{StreamEnd, StreamGuard};

/// Most bytes that are read of such an answer (64 KiB): more than any error.
const BYTES_MAX: usize = 64 * 1024;
/// How long to wait for its end, which some servers do not mark.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// Reads such an answer and counts its error.
pub(super) async fn read_rejection(response: &mut Response<Incoming>, guard: &mut StreamGuard) -> StreamEnd {
    let ended = StreamEnd::Refused(response.status().as_u16());
    let body = read(response, guard).await;
    let text = String::from_utf8_lossy(&body);
    count_error(&text, guard);
    guard.explain(match CompletionEvent::read_json(text.trim()) {
        Ok(CompletionEvent::Error(reported)) => excerpt(None, reported.reason.as_bytes()),
        _ => shown(response, &body),
    });
    if guard.wants_answer(ended) {
        guard.keep_answer(ended, &shown(response, &body));
    }
    ended
}

/// The media type and the beginning of an answer that is not what was expected.
pub(super) async fn beginning(response: &mut Response<Incoming>, guard: &mut StreamGuard) -> String {
    let body = read(response, guard).await;
    shown(response, &body)
}

/// Counts the type and the code of an error in JSON: `{"error":{"type":"overloaded","code":null}}`.
pub(super) fn count_error(json: &str, guard: &StreamGuard) {
    let Ok(Body { error }) = serde_json::from_str(json) else { return };
    let code = match error.code {
        Some(Value::String(code)) => Some(code),
        Some(Value::Number(code)) => Some(code.to_string()),
        _ => None,
    };
    guard.error(error.kind.as_deref(), code.as_deref());
}

/// Unlike what a server reads of a vendor's error, this keeps type and code apart.
#[derive(Deserialize)]
struct Body {
    error: Detail,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<Value>,
}

/// Reads a body to its end, as far as that is short and soon.
async fn read(response: &mut Response<Incoming>, guard: &mut StreamGuard) -> BytesMut {
    let mut kept = BytesMut::new();
    let mut body = BodyReader::of(response, Reads::AtOnce);
    let reading = async {
        while let Some(Ok(piece)) = body.next(0, guard).await {
            kept.extend_from_slice(&piece[..piece.len().min(BYTES_MAX - kept.len())]);
            if kept.len() == BYTES_MAX {
                break;
            }
        }
    };
    // What has been read by then is enough.
    let _ = tokio::time::timeout(WAIT_MAX, reading).await;
    kept
}

/// The media type and the beginning of a body.
fn shown(response: &Response<Incoming>, body: &[u8]) -> String {
    excerpt(response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()), body)
}
