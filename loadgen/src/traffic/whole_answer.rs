//! Complete answers of endpoints that do not stream.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use wire::stream::CompletionEvent;

use crate::measure::{StreamEnd, StreamGuard};

/// Answers up to this size are checked for an error, in bytes (64 KiB). A longer one is not an error body.
const CHECKED_BYTES_MAX: usize = 64 * 1024;

/// Reads a 2xx answer to its end. Its first byte counts as its only token, so that the time to first token is the
/// time until the answer started.
pub(super) async fn read_whole(body: &mut Incoming, guard: &mut StreamGuard) -> StreamEnd {
    let (mut beginning, mut bytes) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return StreamEnd::Failed("broke off") };
        let Some(piece) = frame.data_ref() else { continue };
        if bytes == 0 && !piece.is_empty() {
            guard.token();
        }
        bytes += piece.len();
        if bytes <= CHECKED_BYTES_MAX {
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
