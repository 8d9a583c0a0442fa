//! Complete answers of endpoints that do not stream.

use wire::stream::{CompletionEvent, ParsedChunk};

use super::body::BodyReader;
use super::rejection::count_error;
use crate::measure::{StreamEnd, StreamGuard};

/// Answers up to this size are checked for an error, in bytes (256 KiB). A longer one is not an error body.
const CHECKED_BYTES_MAX: usize = 256 * 1024;

/// Reads a 2xx answer to its end. Its first byte counts as its only token, so that the time to first token is the
/// time until the answer started.
pub(super) async fn read_whole(body: &mut BodyReader<'_>, guard: &mut StreamGuard) -> StreamEnd {
    let (mut beginning, mut bytes) = (Vec::new(), 0_usize);
    while let Some(piece) = body.next(u32::from(bytes > 0), guard).await {
        let Ok(piece) = piece else { return StreamEnd::Failed("broke off") };
        if bytes == 0 && !piece.is_empty() {
            guard.piece();
        }
        bytes += piece.len();
        if bytes <= CHECKED_BYTES_MAX {
            beginning.extend_from_slice(&piece);
        }
    }
    match str::from_utf8(&beginning) {
        _ if bytes == 0 => StreamEnd::Failed("empty answer"),
        Ok(text) if bytes == beginning.len() => read_text(text, guard),
        _ => StreamEnd::Completed,
    }
}

fn read_text(text: &str, guard: &mut StreamGuard) -> StreamEnd {
    match CompletionEvent::read_json(text) {
        Ok(CompletionEvent::Error(_)) => {
            count_error(text, guard);
            return StreamEnd::Failed("answer reports an error");
        }
        Ok(CompletionEvent::Chunk(ParsedChunk { text: answer, usage, .. })) => {
            guard.text(answer.as_deref().unwrap_or_default());
            if let Some(usage) = usage {
                guard.generated(usage.completion_tokens);
                guard.usage(usage.total_tokens);
            }
        }
        _ => guard.text(text),
    }
    StreamEnd::Completed
}
