//! Event streams, in any dialect.

use std::borrow::Cow;

use wire::sse::{DecodeError, Decoder, Event};
use wire::stream::{CompletionEvent, Progress, Token};

use super::body::BodyReader;
use super::format::{EventKind, named};
use super::rejection::count_error;
use super::{Client, StreamFormat};
use crate::measure::{StreamEnd, StreamGuard};

/// Largest event or line that is read, in bytes (2 MiB): an image fits, and a hundred endless events do not exhaust the
/// memory.
pub(super) const EVENT_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Reads a stream to its end, or until its client disconnects.
pub(super) async fn read_events(body: &mut BodyReader<'_>, guard: &mut StreamGuard, client: &Client) -> StreamEnd {
    let mut decoder = Decoder::new(EVENT_BYTES_MAX);
    let mut events = Vec::new();
    let mut reader = EventReader { format: client.format, data_is_text: client.data_is_text, ..EventReader::default() };
    while let Some(piece) = body.next(reader.tokens, guard).await {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => return StreamEnd::Failed(error.cause()),
        };
        if let Err(error) = decoder.decode(&piece, &mut events) {
            let too_large = matches!(error, DecodeError::TooLarge { .. });
            return StreamEnd::Failed(if too_large { "event over 2 MiB" } else { "not readable" });
        }
        for event in events.drain(..) {
            if let Some(ended) = reader.take(&event, guard) {
                return ended;
            }
            if client.has_enough(reader.tokens) {
                return StreamEnd::Disconnected;
            }
        }
    }
    // Some servers omit the blank line after their last event.
    let last = decoder.finish().ok().flatten().and_then(|part| part.event);
    if let Some(ended) = last.and_then(|event| reader.take(&event, guard)) {
        return ended;
    }
    if reader.is_complete_without_done() { whole(guard, StreamEnd::CompletedWithoutDone) } else { StreamEnd::Truncated }
}

/// A complete stream without a token counts as failed.
pub(super) fn whole(guard: &StreamGuard, ended: StreamEnd) -> StreamEnd {
    if guard.has_token() { ended } else { StreamEnd::Failed("ended without a token") }
}

/// Reads the events of one stream, in any dialect.
#[derive(Default)]
struct EventReader {
    progress: Progress,
    /// The dialect of the client, if it knows one.
    format: StreamFormat,
    /// Whether there was an event of a dialect that marks the end of a stream.
    has_end: bool,
    /// [`Client::data_is_text`]
    data_is_text: bool,
    tokens: u32,
}

impl EventReader {
    /// Counts the next event, and returns how the stream has ended if it has.
    fn take(&mut self, event: &Event, guard: &mut StreamGuard) -> Option<StreamEnd> {
        match self.read(event, guard) {
            EventKind::Token => {
                guard.token();
                self.tokens += 1;
                if guard.uses_text() {
                    guard.text(&text_of(event));
                }
                None
            }
            EventKind::NoToken => None,
            EventKind::Done => Some(whole(guard, StreamEnd::Completed)),
            EventKind::Error => {
                count_error(&event.data, guard);
                Some(StreamEnd::Failed("error event"))
            }
        }
    }

    /// Classifies the next event. The servers' own dialect is recognized by its first member and not parsed, to save
    /// processor time for the server under test.
    fn read(&mut self, event: &Event, guard: &mut StreamGuard) -> EventKind {
        let may_be = |format: StreamFormat| self.format == StreamFormat::Auto || self.format == format;
        let is_own = may_be(StreamFormat::Chat) && event.name.is_none() && event.data.starts_with(r#"{"content":"#);
        // A quote inside the text is escaped.
        if is_own && !event.data.contains(r#""error""#) {
            self.has_end = true;
            guard.format(StreamFormat::Chat.name());
            let is_empty = event.data.starts_with(r#"{"content":""}"#);
            return if is_empty { EventKind::NoToken } else { EventKind::Token };
        }
        if self.data_is_text {
            guard.format(StreamFormat::Sse.name());
            return match (event.name.as_deref(), event.data.trim()) {
                (Some("error"), _) => EventKind::Error,
                (_, "[DONE]") => EventKind::Done,
                _ => EventKind::Token,
            };
        }
        if let Some((kind, format)) = named(event, self.format) {
            guard.format(format.name());
            // From here on, other events such as pings are none of its tokens.
            self.format = format;
            return kind;
        }
        self.read_data(event, guard)
    }

    fn read_data(&mut self, event: &Event, guard: &mut StreamGuard) -> EventKind {
        let read = CompletionEvent::read(event);
        read.iter().for_each(|read| self.progress.note(read));
        match read {
            Ok(CompletionEvent::Done) => EventKind::Done,
            Ok(CompletionEvent::Error(_)) => EventKind::Error,
            Ok(CompletionEvent::Chunk(chunk)) if matches!(self.format, StreamFormat::Auto | StreamFormat::OpenAi) => {
                self.has_end = true;
                guard.format(StreamFormat::OpenAi.name());
                chunk.usage.iter().for_each(|usage| guard.usage(usage.total_tokens));
                // OpenAI's first chunk has only a role, the last only a finish reason or the usage.
                if chunk.generates { EventKind::Token } else { EventKind::NoToken }
            }
            _ if event.data.is_empty() => EventKind::NoToken,
            // Another dialect: every event is a token.
            _ if matches!(self.format, StreamFormat::Auto | StreamFormat::Sse) => {
                guard.format(StreamFormat::Sse.name());
                EventKind::Token
            }
            _ if self.format == StreamFormat::Chat && is_token(event) => {
                guard.format(StreamFormat::Chat.name());
                EventKind::Token
            }
            // Not of the dialect that is expected, such as a ping.
            _ => EventKind::NoToken,
        }
    }

    /// Whether a stream that ended here without `[DONE]` is complete: after a finish reason, by the same rule as in
    /// the relay, or in a dialect without an end marker.
    fn is_complete_without_done(&self) -> bool {
        match self.format {
            StreamFormat::Auto => self.progress.is_whole() || !self.has_end,
            StreamFormat::OpenAi => self.progress.is_whole(),
            format => format == StreamFormat::Sse,
        }
    }
}

/// Whether it is a token of the servers' own dialect, wherever in it the text is.
fn is_token(event: &Event) -> bool {
    serde_json::from_str::<Token<'_>>(&event.data).is_ok_and(|token| !token.content.is_empty())
}

/// The text of a token, in any dialect.
fn text_of(event: &Event) -> Cow<'_, str> {
    if let Ok(token) = serde_json::from_str::<Token<'_>>(&event.data) {
        return token.content;
    }
    match CompletionEvent::read(event) {
        Ok(CompletionEvent::Chunk(chunk)) => chunk.text.unwrap_or_default().into(),
        _ => Cow::Borrowed(&event.data),
    }
}
