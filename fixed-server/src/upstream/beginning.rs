//! The beginning of a stream.

use bytes::{Bytes, BytesMut};
use wire::stream::CompletionEvent;

use super::batch::Batch;
use crate::body::Format;

/// Chunks that bring nothing which was generated (who speaks, what a filter found) and are held back while
/// the first token is waited for. A stream of more of them is passed on: its client is to see it, and
/// nothing here grows.
const HELD_CHUNKS_MAX: usize = 8;

/// Bytes that are held back, of chunks as of comments: a buffer over this is passed on, comments over
/// this are dropped.
const HELD_BYTES_MAX: usize = 16 * 1024;

/// The beginning of a stream, while a failure can still become a status.
pub(crate) struct Beginning {
    format: Format,
    events: Vec<CompletionEvent>,
    raw: BytesMut,
    begun: bool,
}

impl Beginning {
    /// Nothing yet.
    pub(super) fn new(format: Format) -> Self {
        Beginning { format, events: Vec::new(), raw: BytesMut::new(), begun: false }
    }

    /// Adds what came next, as far as the client gets it.
    pub(super) fn add(&mut self, batch: Batch) {
        match self.format {
            // A client of tokens gets nothing of what has no text, so nothing of it is kept and nothing of it
            // is a reason to send the status.
            Format::Tokens => {
                let shown = |event: &CompletionEvent| *event == CompletionEvent::Done || event.text().is_some();
                self.begun |= batch.events.iter().any(shown);
                self.events.extend(batch.events.into_iter().filter(shown));
            }
            Format::Chunks => {
                if batch.events.is_empty() && self.raw.len() + batch.raw.len() > HELD_BYTES_MAX {
                    return;
                }
                self.begun |= batch.events.iter().any(CompletionEvent::has_output);
                self.events.extend(batch.events);
                self.raw.extend_from_slice(&batch.raw);
                self.begun |=
                    self.events.len() > HELD_CHUNKS_MAX || (self.raw.len() > HELD_BYTES_MAX && !self.events.is_empty());
            }
        }
    }

    /// Whether it is time to send the status.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// All of it together.
    pub(crate) fn into_batch(self) -> Batch {
        Batch { events: self.events, raw: Bytes::from(self.raw) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(raw: &'static str, events: &[&str]) -> Batch {
        let events = events.iter().map(|json| CompletionEvent::read_json(json).unwrap()).collect();
        Batch { events, raw: Bytes::from_static(raw.as_bytes()) }
    }

    const ROLE: &str = r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#;
    const TEXT: &str = r#"{"choices":[{"delta":{"content":"a"}}]}"#;
    const THOUGHT: &str = r#"{"choices":[{"delta":{"reasoning_content":"a"}}]}"#;

    #[test]
    fn a_stream_begins_with_what_its_client_gets() {
        for (format, json, begins) in [
            (Format::Chunks, ROLE, false),
            (Format::Chunks, THOUGHT, true),
            (Format::Chunks, TEXT, true),
            (Format::Tokens, ROLE, false),
            (Format::Tokens, THOUGHT, false),
            (Format::Tokens, TEXT, true),
        ] {
            let mut head = Beginning::new(format);
            head.add(batch("raw", &[json]));
            assert_eq!(head.has_begun(), begins, "{format:?} {json}");
        }
    }

    #[test]
    fn endless_output_before_the_first_token_is_never_kept() {
        for format in [Format::Chunks, Format::Tokens] {
            let mut head = Beginning::new(format);
            (0..100_000).for_each(|_| head.add(batch(": still thinking\n\n", &[])));
            assert!(!head.has_begun() && head.raw.len() <= HELD_BYTES_MAX, "{format:?}: {}", head.raw.len());
            let chunks = (0..100_000).take_while(|_| {
                head.add(batch("data: {}\n\n", &[ROLE]));
                !head.has_begun()
            });
            assert_eq!(chunks.count() == 100_000, format == Format::Tokens);
            assert!(head.events.len() <= HELD_CHUNKS_MAX + 1, "{format:?}: {}", head.events.len());
        }
    }

    #[test]
    fn what_is_held_comes_before_the_first_token_as_it_came() {
        let mut head = Beginning::new(Format::Chunks);
        head.add(batch(": ping\n\n", &[]));
        head.add(batch("id: 1\ndata: role\n\n", &[ROLE]));
        head.add(batch("data: text\n\n", &[TEXT]));
        let batch = head.into_batch();
        assert_eq!(batch.raw, ": ping\n\nid: 1\ndata: role\n\ndata: text\n\n");
        assert_eq!(batch.events.len(), 2);
    }
}
