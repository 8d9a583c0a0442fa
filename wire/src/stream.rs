//! One token of `/chat/stream`, and the events of a vendor's stream.

mod failure;
mod parsed_chunk;
mod progress;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::error::ErrorBody;
use crate::sse::{self, Event};
use parsed_chunk::Read;

pub use failure::ReportedFailure;
pub use parsed_chunk::ParsedChunk;
pub use progress::{EndOfBody, Progress, StreamEndError};

/// One token of `/chat/stream`: `data: {"content":"..."}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token<'a> {
    /// The text. JSON carries line ends and quotes that raw text in `data:` would lose.
    #[serde(borrow)]
    pub content: Cow<'a, str>,
}

/// A token as an event of `/chat/stream`.
#[must_use]
pub fn token_event(text: &str) -> String {
    sse::data(&Token { content: text.into() })
}

/// A failure after the first token, as the last event of `/chat/stream`: no `[DONE]` follows.
#[must_use]
pub fn error_event(error: &ErrorBody) -> String {
    sse::named("error", error)
}

/// One event of a vendor's stream, as far as anything depends on it. A relay passes the event on unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompletionEvent {
    /// JSON with `choices` or token counts: OpenAI's chunk, with whatever the vendor left out or added.
    Chunk(ParsedChunk),
    /// Other JSON, or an empty `data:`. Nothing depends on it.
    Other,
    /// `[DONE]`: the stream is complete.
    Done,
    /// The vendor failed after it had answered 200.
    Error(ReportedFailure),
}

/// An event whose data is neither JSON nor `[DONE]` nor empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the vendor sent an event that is not JSON: {0}")]
pub struct MalformedEvent(String);

impl CompletionEvent {
    /// Parses one event of a vendor's stream.
    ///
    /// # Errors
    /// [`MalformedEvent`] for data that is not JSON: a vendor whose stream cannot be parsed has failed.
    pub fn read(event: &Event) -> Result<Self, MalformedEvent> {
        let data = event.data.trim();
        if event.name.as_deref() == Some("error") {
            return Ok(CompletionEvent::Error(ReportedFailure::parse(data.as_bytes())));
        }
        match data {
            "[DONE]" => Ok(CompletionEvent::Done),
            "" => Ok(CompletionEvent::Other),
            _ => Self::read_json(data),
        }
    }

    /// Parses a whole answer, which has `choices` like a chunk or reports a failure with status 200.
    ///
    /// # Errors
    /// [`MalformedEvent`] for what is not JSON.
    pub fn read_json(json: &str) -> Result<Self, MalformedEvent> {
        match parsed_chunk::read(json) {
            Ok(Read::Chunk(reading)) => Ok(CompletionEvent::Chunk(reading)),
            Ok(Read::Failure(failure)) => Ok(CompletionEvent::Error(failure)),
            Ok(Read::Other) => Ok(CompletionEvent::Other),
            Err(error) => Err(MalformedEvent(error.to_string())),
        }
    }

    /// Whether the answer has begun with this event: it has generated output, or ends the answer.
    #[must_use]
    pub fn has_output(&self) -> bool {
        match self {
            CompletionEvent::Chunk(reading) => reading.generates || reading.finish_reason.is_some(),
            CompletionEvent::Done => true,
            CompletionEvent::Other | CompletionEvent::Error(_) => false,
        }
    }

    /// The text that it adds, if any; never empty.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            CompletionEvent::Chunk(reading) => reading.text.as_deref(),
            CompletionEvent::Other | CompletionEvent::Done | CompletionEvent::Error(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_keeps_line_ends_and_quotes() {
        let event = token_event("a\n\n\"b\": é");
        assert_eq!(event.matches('\n').count(), 2, "only the two that end the event: {event:?}");
        let json = event.trim_start_matches("data: ").trim_end();
        assert_eq!(serde_json::from_str::<Token<'_>>(json).unwrap().content, "a\n\n\"b\": é");
    }
}
