use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::completion::{Chunk, Usage};
use crate::error::{ErrorBody, ErrorDetail};
use crate::sse::{self, Event};

/// One token of `/chat/stream`: `data: {"content":"..."}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token<'a> {
    /// The text. JSON carries line ends and quotes that raw text in `data:` would lose.
    #[serde(borrow)]
    pub content: Cow<'a, str>,
}

/// A token as an event of `/chat/stream`, ready to be sent.
#[must_use]
pub fn token_event(text: &str) -> String {
    sse::data(&Token { content: text.into() })
}

/// A failure after the first token as the last event of `/chat/stream`: no `[DONE]` follows it.
#[must_use]
pub fn error_event(error: &ErrorBody) -> String {
    sse::named("error", error)
}

/// One event of a vendor's stream, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VendorEvent {
    /// A chunk. A role chunk has neither text, reason nor usage.
    Chunk {
        /// The text that it adds, if any; never empty.
        text: Option<String>,
        /// Why the answer ended, in its last chunk.
        finish_reason: Option<String>,
        /// The token counts, if it has them.
        usage: Option<Usage>,
    },
    /// `[DONE]`: the stream is whole. A stream that ends without it was cut.
    Done,
    /// The vendor failed after it had answered 200.
    Error(ErrorDetail),
}

/// An event that is neither a chunk, nor `[DONE]`, nor an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the vendor sent an event that is no chunk: {0}")]
pub struct MalformedEvent(String);

impl VendorEvent {
    /// Reads one event of a vendor's stream.
    ///
    /// # Errors
    /// [`MalformedEvent`] for data that is no chunk: a vendor whose stream cannot be read has failed.
    pub fn read(event: &Event) -> Result<Self, MalformedEvent> {
        let data = event.data.trim();
        if data == "[DONE]" {
            return Ok(VendorEvent::Done);
        }
        match serde_json::from_str::<Chunk<'_>>(data) {
            Ok(chunk) => Ok(Self::from_chunk(chunk)),
            Err(not_a_chunk) => match serde_json::from_str::<ErrorBody>(data) {
                Ok(body) => Ok(VendorEvent::Error(body.error)),
                Err(_) => Err(MalformedEvent(not_a_chunk.to_string())),
            },
        }
    }

    fn from_chunk(chunk: Chunk<'_>) -> Self {
        let usage = chunk.usage;
        let Some(choice) = chunk.choices.into_iter().next() else {
            return VendorEvent::Chunk { text: None, finish_reason: None, usage };
        };
        let text = choice.delta.content.filter(|text| !text.is_empty()).map(Cow::into_owned);
        VendorEvent::Chunk { text, finish_reason: choice.finish_reason.map(Cow::into_owned), usage }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data: &str) -> Result<VendorEvent, MalformedEvent> {
        VendorEvent::read(&Event { name: None, data: data.into() })
    }

    fn chunk(delta: &str) -> String {
        format!(
            r#"{{"id":"a","object":"chat.completion.chunk","created":1,"model":"m","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#
        )
    }

    #[test]
    fn chunks_done_and_errors_are_told_apart() {
        let text =
            |text: Option<&str>| VendorEvent::Chunk { text: text.map(Into::into), finish_reason: None, usage: None };
        assert_eq!(read(&chunk(r#"{"role":"assistant","content":""}"#)), Ok(text(None)));
        assert_eq!(read(&chunk(r#"{"content":"a\nb \u00e9"}"#)), Ok(text(Some("a\nb é"))));
        assert_eq!(read("[DONE]"), Ok(VendorEvent::Done));
        assert!(matches!(read(r#"{"error":{"message":"x","type":"server_error"}}"#), Ok(VendorEvent::Error(_))));
        assert!(read("{\"choices\":").is_err());
        assert!(read("hello").is_err());
    }

    #[test]
    fn a_token_survives_line_ends_and_quotes() {
        let event = token_event("a\n\n\"b\": é");
        assert_eq!(event.matches('\n').count(), 2, "only the two that end the event: {event:?}");
        let json = event.trim_start_matches("data: ").trim_end();
        assert_eq!(serde_json::from_str::<Token<'_>>(json).unwrap().content, "a\n\n\"b\": é");
    }
}
