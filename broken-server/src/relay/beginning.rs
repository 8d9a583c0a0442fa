//! The beginning of a stream.

use wire::stream::CompletionEvent;

use crate::format::Format;
use crate::upstream::Message;

/// How many chunks without generated text (the role, a filter's result) are held back before the first token. If more
/// come, they are passed on: the client sees that something comes, and the memory does not grow.
const HELD_CHUNKS_MAX: usize = 8;

/// How many bytes of chunks and comments are held back. Beyond that, chunks are passed on and comments dropped.
const HELD_BYTES_MAX: usize = 16 * 1024;

/// The memory of a message besides its bytes.
const MESSAGE_BYTES: usize = 64;

/// The beginning of a stream, before the status is sent: the vendor's failure can still become one.
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

    /// Adds the next message if the client gets it, and returns whether the stream has begun with it.
    pub(super) fn add(&mut self, message: Message) -> bool {
        if matches!(self.format, Format::Tokens(_)) {
            // The client gets only text, so other messages are not kept and do not make the status be sent.
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

    /// All messages so far.
    pub(super) fn into_messages(self) -> Vec<Message> {
        self.messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::TokenFormat;

    const TOKENS: Format = Format::Tokens(TokenFormat::JSON);

    fn message(json: Option<&str>) -> Message {
        let event = json.map(|json| CompletionEvent::read_json(json).unwrap());
        Message { raw: (&b": still thinking\n\n"[..]).into(), event }
    }

    const ROLE: &str = r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#;
    const TEXT: &str = r#"{"choices":[{"delta":{"content":"a"}}]}"#;
    const THOUGHT: &str = r#"{"choices":[{"delta":{"reasoning_content":"a"}}]}"#;

    #[test]
    fn a_stream_begins_with_the_first_text_that_the_client_gets() {
        for (format, json, begins) in [
            (Format::Chunks, ROLE, false),
            (Format::Chunks, THOUGHT, true),
            (Format::Chunks, TEXT, true),
            (TOKENS, ROLE, false),
            (TOKENS, THOUGHT, false),
            (TOKENS, TEXT, true),
        ] {
            assert_eq!(Beginning::new(format).add(message(Some(json))), begins, "{format:?} {json}");
        }
    }

    #[test]
    fn endless_messages_before_the_first_token_are_not_kept() {
        for format in [Format::Chunks, TOKENS] {
            let mut beginning = Beginning::new(format);
            assert!((0..100_000).all(|_| !beginning.add(message(None))), "{format:?}");
            assert!(beginning.messages.len() <= HELD_BYTES_MAX / MESSAGE_BYTES, "{}", beginning.messages.len());
            let begins = (0..100_000).any(|_| beginning.add(message(Some(ROLE))));
            assert_eq!(begins, matches!(format, Format::Chunks));
        }
    }
}
