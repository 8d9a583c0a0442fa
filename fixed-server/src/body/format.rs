//! The two formats of a stream: what a client receives of a vendor's event, and of a failure.

use bytes::Bytes;
use wire::sse;
use wire::stream::{CompletionEvent, error_event, token_event};

use crate::errors::Failure;
use crate::upstream::Batch;

/// What the client of a stream receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `/chat/stream`: `data: {"content":"..."}` for each token.
    Tokens,
    /// OpenAI's routes: what the vendor sends, unchanged.
    Chunks,
}

impl Format {
    /// `batch` in this format; empty if nothing of it belongs there.
    pub(super) fn render(self, batch: Batch) -> Bytes {
        match self {
            Format::Chunks => batch.raw,
            Format::Tokens => batch.events.iter().filter_map(token).collect::<String>().into(),
        }
    }
}

// ANCHOR: raw-sse
/// A token of `/chat/stream`, or its end.
fn token(event: &CompletionEvent) -> Option<String> {
    match event {
        // FIX raw-sse: what a client must tell apart looks different. A token is JSON, in which a line end is no line end;
        // only a complete stream has `[DONE]`, and a failure is an event with a name.
        CompletionEvent::Done => Some(sse::DONE.to_owned()),
        other => other.text().map(token_event),
    }
}

/// The last event of a stream that has failed.
pub(super) fn failed(failure: &Failure) -> Bytes {
    error_event(&failure.body()).into()
}
// ANCHOR_END: raw-sse

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Batch {
        let read = |json| CompletionEvent::read_json(json).unwrap();
        let token = read(r#"{"choices":[{"delta":{"content":"a\nb"}}]}"#);
        let silent = read(r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#);
        let raw = Bytes::from_static(b": ping\r\ndata:1\r\n\r\n...");
        Batch { events: vec![token, silent, CompletionEvent::Other, CompletionEvent::Done], raw }
    }

    #[test]
    fn chunks_are_passed_on_unchanged() {
        assert_eq!(Format::Chunks.render(batch()), batch().raw);
    }

    #[test]
    fn tokens_are_rendered_without_their_envelope() {
        assert_eq!(Format::Tokens.render(batch()), "data: {\"content\":\"a\\nb\"}\n\ndata: [DONE]\n\n");
    }
}
