//! Complete answers of endpoints that do not stream.

use hyper::header::HeaderValue;
use wire::stream::{CompletionEvent, ParsedChunk};

use super::ExpectedAnswer;
use super::body::BodyReader;
use super::excerpt::excerpt;
use super::rejection::count_error;
use crate::http::ANSWER_BYTES_MAX;
use crate::measure::{StreamEnd, StreamGuard};

/// Answers up to this size are checked for an error, in bytes (256 KiB). A longer one is not an error body.
const CHECKED_BYTES_MAX: usize = 256 * 1024;

/// Reads a 2xx answer of this media type to its end. Its first byte counts as its only token, so that the time to first
/// token is the time until the answer started.
pub(super) async fn read_whole(
    body: &mut BodyReader<'_>,
    expected: ExpectedAnswer,
    content_type: Option<HeaderValue>,
    guard: &mut StreamGuard,
) -> StreamEnd {
    let most = if expected == ExpectedAnswer::Completion { ANSWER_BYTES_MAX } else { CHECKED_BYTES_MAX };
    let (mut beginning, mut bytes) = (Vec::new(), 0_usize);
    while let Some(piece) = body.next(u32::from(bytes > 0), guard).await {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => return StreamEnd::Failed(error.cause()),
        };
        if bytes == 0 && !piece.is_empty() {
            guard.piece();
        }
        bytes += piece.len();
        if bytes <= most {
            beginning.extend_from_slice(&piece);
        }
    }
    let text = str::from_utf8(&beginning).ok().filter(|_| bytes == beginning.len());
    let is_completion = match text.map(|text| (text, CompletionEvent::read_json(text.trim()))) {
        _ if bytes == 0 => return StreamEnd::Failed("empty answer"),
        Some((text, Ok(CompletionEvent::Error(reported)))) => {
            count_error(text, guard);
            guard.explain(excerpt(None, reported.reason.as_bytes()));
            return StreamEnd::Failed("answer reports an error");
        }
        Some((_, Ok(CompletionEvent::Chunk(parsed)))) => {
            count_parsed(&parsed, guard);
            parsed.has_choices
        }
        Some((text, _)) => {
            guard.text(text);
            false
        }
        None => false,
    };
    if expected == ExpectedAnswer::Completion && !is_completion {
        let content_type = content_type.as_ref().and_then(|value| value.to_str().ok());
        guard.explain(format!("no chat completion, but {}", excerpt(content_type, &beginning)));
        return StreamEnd::Failed("no chat completion");
    }
    StreamEnd::Completed
}

fn count_parsed(parsed: &ParsedChunk, guard: &mut StreamGuard) {
    guard.text(parsed.text.as_deref().unwrap_or_default());
    if let Some(usage) = parsed.usage {
        guard.generated(usage.completion_tokens);
        guard.usage(usage.total_tokens);
    }
}
