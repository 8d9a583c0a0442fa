//! The two formats of a stream: what a client receives of a vendor's event.

use bytes::Bytes;
use wire::sse;
use wire::stream::{CompletionEvent, token_event};

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

fn token(event: &CompletionEvent) -> Option<String> {
    match event {
        CompletionEvent::Done => Some(sse::DONE.to_owned()),
        other => other.text().map(token_event),
    }
}

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
