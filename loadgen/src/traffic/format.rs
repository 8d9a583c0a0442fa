//! What streams are made of: what counts as a token, as their end and as an error.

use wire::sse::{self, Event};

/// What streams are made of. Each value says what counts as a token and what ends a stream; an answer that ends before
/// is truncated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum StreamFormat {
    /// Recognise it by the media type of each answer and by its first events
    #[default]
    Auto,
    /// Events with {"content":"..."}, as the servers here send them; the end is [DONE]
    Chat,
    /// OpenAI's chunks with choices; the end is [DONE] or a finish reason
    #[value(name = "openai")]
    OpenAi,
    /// Anthropic's events: a token is content_block_delta, the end message_stop
    Anthropic,
    /// Events of OpenAI's Responses API: a token is response.*.delta, the end response.completed
    Responses,
    /// Any server-sent events: a token is one with data, an error one named error, the end [DONE] or that of the answer
    Sse,
    /// A JSON value a line: a line is a token, or an error if it has that member; the end is "done":true or that of the
    /// answer
    Jsonl,
    /// Any text: a token is what arrives at once, the end that of the answer
    Text,
}

/// How an answer is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Events,
    Lines,
    Pieces,
}

/// Media types of JSON lines. None is registered; vendors use these.
const JSON_LINES: [&str; 4] =
    ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"];

impl StreamFormat {
    /// How an answer with this media type is divided; `None` if it is no stream of this format. A format that is named
    /// is taken as it is said, whatever the media type: many servers send none of their own.
    pub(super) fn framing(self, content_type: Option<&str>) -> Option<Framing> {
        // Compared as in RFC 9110: without case and parameters.
        let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let is = |known: &str| media_type.eq_ignore_ascii_case(known);
        match self {
            StreamFormat::Auto if is(sse::CONTENT_TYPE) => Some(Framing::Events),
            StreamFormat::Auto if JSON_LINES.into_iter().any(is) => Some(Framing::Lines),
            StreamFormat::Auto => None,
            StreamFormat::Jsonl => Some(Framing::Lines),
            StreamFormat::Text => Some(Framing::Pieces),
            _ => Some(Framing::Events),
        }
    }

    /// Its name, as in the flag.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            StreamFormat::Auto => "auto",
            StreamFormat::Chat => "chat",
            StreamFormat::OpenAi => "openai",
            StreamFormat::Anthropic => "anthropic",
            StreamFormat::Responses => "responses",
            StreamFormat::Sse => "sse",
            StreamFormat::Jsonl => "jsonl",
            StreamFormat::Text => "text",
        }
    }
}

/// What an event of a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventKind {
    Token,
    NoToken,
    Done,
    Error,
}

/// What an event means by its name alone, in a format whose events are named; `None` for an event of none of those that
/// may be meant.
///
/// Sources: "Streaming messages" of Anthropic's documentation, "Streaming events" of OpenAI's API reference.
pub(super) fn named(event: &Event, meant: StreamFormat) -> Option<(EventKind, StreamFormat)> {
    let name = event.name.as_deref()?;
    let anthropic = match name {
        "content_block_delta" => Some(EventKind::Token),
        "message_start" | "content_block_start" | "content_block_stop" | "message_delta" => Some(EventKind::NoToken),
        "message_stop" => Some(EventKind::Done),
        _ => None,
    };
    let responses = name.strip_prefix("response.").map(|what| match what {
        "completed" | "incomplete" => EventKind::Done,
        "failed" => EventKind::Error,
        _ if what.ends_with(".delta") => EventKind::Token,
        _ => EventKind::NoToken,
    });
    match meant {
        StreamFormat::Anthropic => anthropic.map(|kind| (kind, meant)),
        StreamFormat::Responses => responses.map(|kind| (kind, meant)),
        StreamFormat::Auto => anthropic
            .map(|kind| (kind, StreamFormat::Anthropic))
            .or_else(|| responses.map(|kind| (kind, StreamFormat::Responses))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn a_format_has_the_name_of_its_flag() {
        for format in StreamFormat::value_variants() {
            assert_eq!(format.to_possible_value().unwrap().get_name(), format.name());
        }
    }

    #[test]
    fn the_media_type_decides_unless_a_format_is_named() {
        let auto = |media_type| StreamFormat::Auto.framing(Some(media_type));
        assert_eq!(auto("Text/Event-Stream; charset=utf-8"), Some(Framing::Events));
        assert_eq!(auto("application/x-ndjson"), Some(Framing::Lines));
        assert_eq!([auto("text/plain"), auto(""), StreamFormat::Auto.framing(None)], [None; 3]);
        assert_eq!(StreamFormat::Sse.framing(Some("text/plain")), Some(Framing::Events));
        assert_eq!(StreamFormat::Text.framing(None), Some(Framing::Pieces));
    }
}
