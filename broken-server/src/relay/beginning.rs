//! The beginning of a stream.

use wire::stream::CompletionEvent;

use crate::call::Format;
use crate::upstream::Message;

/// Chunks that bring nothing which was generated (who speaks, what a filter found) and are held back while
/// the first token is waited for. A stream of more of them is passed on: its client is to see it, and
/// nothing here grows.
const HELD_CHUNKS_MAX: usize = 8;

/// Bytes that are held back, of chunks as of comments: chunks over this are passed on, comments over this
/// are dropped.
const HELD_BYTES_MAX: usize = 16 * 1024;

/// What a message costs besides its bytes.
const MESSAGE_BYTES: usize = 64;

/// The beginning of a stream, while it can still be told by a status that the vendor failed.
pub(super) struct Beginning {
    format: Format,
    messages: Vec<Message>,
    bytes: usize,
    chunks: usize,
}

impl Beginning {
    /// Nothing yet.
    pub(super) fn new(format: Format) -> Self {
        Beginning { format, messages: Vec::new(), bytes: 0, chunks: 0 }
    }

    /// Adds what came next, as far as the client gets it, and says whether the stream has begun with it.
    pub(super) fn add(&mut self, message: Message) -> bool {
        if self.format == Format::Tokens {
            // A client of tokens gets nothing of what has no text, so nothing of it is kept and nothing of it
            // is a reason to send the status.
            let shown = message.is_done() || message.text().is_some();
            self.messages.extend(shown.then_some(message));
            return shown;
        }
        let bytes = self.bytes + message.raw.len() + MESSAGE_BYTES;
        let Some(event) = &message.event else {
            if bytes <= HELD_BYTES_MAX {
                self.bytes = bytes;
                self.messages.push(message);
            }
            return false;
        };
        self.bytes = bytes;
        self.chunks += 1;
        let begun = CompletionEvent::has_output(event) || self.chunks > HELD_CHUNKS_MAX || bytes > HELD_BYTES_MAX;
        self.messages.push(message);
        begun
    }

    /// All of it.
    pub(super) fn into_messages(self) -> Vec<Message> {
        self.messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(json: Option<&str>) -> Message {
        let event = json.map(|json| CompletionEvent::read_json(json).unwrap());
        Message { raw: (&b": still thinking\n\n"[..]).into(), event }
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
            assert_eq!(Beginning::new(format).add(message(Some(json))), begins, "{format:?} {json}");
        }
    }

    #[test]
    fn what_comes_without_end_before_the_first_token_is_passed_on_or_dropped_and_never_kept() {
        for format in [Format::Chunks, Format::Tokens] {
            let mut beginning = Beginning::new(format);
            assert!((0..100_000).all(|_| !beginning.add(message(None))), "{format:?}");
            assert!(beginning.messages.len() <= HELD_BYTES_MAX / MESSAGE_BYTES, "{}", beginning.messages.len());
            let begins = (0..100_000).any(|_| beginning.add(message(Some(ROLE))));
            assert_eq!(begins, format == Format::Chunks);
        }
    }
}
