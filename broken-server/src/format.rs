//! The formats of a stream: what a client gets of a vendor's event, and of a failure.

use wire::error::ErrorBody;
use wire::sse;
use wire::stream::{error_event, token_event};

use crate::upstream::Message;

/// What the client of a stream gets.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Format {
    /// `/chat/stream`: each token as an event of its own.
    Tokens(TokenFormat),
    /// OpenAI's routes: the vendor's events, passed on.
    Chunks,
}

/// How `/chat/stream` writes what a stream consists of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenFormat {
    /// A token with this text.
    pub(crate) token: fn(&str) -> String,
    /// A failure after the first token, which ends the stream.
    pub(crate) failure: fn(&ErrorBody) -> String,
    /// The end of a complete stream.
    pub(crate) end: &'static str,
}

impl TokenFormat {
    /// The right one: `data: {"content":"..."}`, `event: error` and `[DONE]`.
    pub(crate) const JSON: TokenFormat = TokenFormat { token: token_event, failure: error_event, end: sse::DONE };
}

impl Format {
    /// Appends what the client gets of `message`, if anything.
    pub(crate) fn render(self, message: &Message, bytes: &mut Vec<u8>) {
        match self {
            Format::Chunks => bytes.extend_from_slice(&message.raw),
            Format::Tokens(format) if message.is_done() => bytes.extend_from_slice(format.end.as_bytes()),
            Format::Tokens(format) => {
                bytes.extend(message.text().map(format.token).unwrap_or_default().into_bytes());
            }
        }
    }

    /// The last event of a stream that has failed.
    pub(crate) fn failure(self, body: &ErrorBody) -> String {
        match self {
            Format::Tokens(format) => (format.failure)(body),
            Format::Chunks => error_event(body),
        }
    }
}
