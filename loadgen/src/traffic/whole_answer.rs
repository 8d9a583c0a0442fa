//! Answers of endpoints that do not stream: read to the end, counted, not kept.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use wire::stream::CompletionEvent;

use crate::measure::{StreamEnd, StreamGuard};

/// How much of an answer is looked through for an error that it reports, in bytes (64 KiB). A longer one is
/// no error body.
const LOOKED_THROUGH_BYTES: usize = 64 * 1024;

/// Reads an answer of 2xx to its end. Its first byte is its first and only token: a load of such answers has
/// a time to first token, which is the time that the whole answer took to begin.
pub(super) async fn read_whole(body: &mut Incoming, guard: &mut StreamGuard) -> StreamEnd {
    let (mut beginning, mut bytes) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return StreamEnd::Failed("broke off") };
        let Some(piece) = frame.data_ref() else { continue };
        if bytes == 0 && !piece.is_empty() {
            guard.token();
        }
        bytes += piece.len();
        if bytes <= LOOKED_THROUGH_BYTES {
            beginning.extend_from_slice(piece);
        }
    }
    match str::from_utf8(&beginning) {
        _ if bytes == 0 => StreamEnd::Failed("empty answer"),
        Ok(text) if bytes == beginning.len() && reports_failure(text) => StreamEnd::Failed("answer reports an error"),
        _ => StreamEnd::Completed,
    }
}

fn reports_failure(text: &str) -> bool {
    matches!(CompletionEvent::read_json(text), Ok(CompletionEvent::Error(_)))
}
