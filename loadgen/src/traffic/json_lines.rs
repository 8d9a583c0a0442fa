//! Streams of JSON values, one a line.

use serde_json::Value;

use super::body::BodyReader;
use super::events::{EVENT_BYTES_MAX, whole};
use super::rejection::count_error;
use super::{Client, StreamFormat};
use crate::measure::{StreamEnd, StreamGuard};

/// Reads a stream to its end, or until its client disconnects.
pub(super) async fn read_lines(body: &mut BodyReader<'_>, guard: &mut StreamGuard, client: &Client) -> StreamEnd {
    let mut reader = LineReader::default();
    let mut rest: Vec<u8> = Vec::new();
    while let Some(piece) = body.next(reader.tokens, guard).await {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => return StreamEnd::Failed(error.cause()),
        };
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            if rest.len() + part.len() > EVENT_BYTES_MAX {
                return StreamEnd::Failed("line over 2 MiB");
            }
            rest.extend_from_slice(part);
            if !part.ends_with(b"\n") {
                break;
            }
            if let Some(ended) = reader.take(&rest, guard) {
                return ended;
            }
            if client.has_enough(reader.tokens) {
                return StreamEnd::Disconnected;
            }
            rest.clear();
        }
    }
    if let Some(ended) = reader.take(&rest, guard) {
        return ended;
    }
    if reader.has_end { StreamEnd::Truncated } else { whole(guard, StreamEnd::Completed) }
}

#[derive(Default)]
struct LineReader {
    /// Whether a line said that it is not the last one, so that the last one says so too.
    has_end: bool,
    tokens: u32,
}

impl LineReader {
    /// Counts the next line, and returns how the stream has ended if it has.
    fn take(&mut self, line: &[u8], guard: &mut StreamGuard) -> Option<StreamEnd> {
        let text = String::from_utf8_lossy(line);
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let Ok(value) = serde_json::from_str::<Value>(text) else { return Some(StreamEnd::Failed("line is no JSON")) };
        guard.format(StreamFormat::Jsonl.name());
        if value.get("error").is_some_and(|error| !error.is_null()) {
            count_error(text, guard);
            return Some(StreamEnd::Failed("error event"));
        }
        match value.get("done").and_then(Value::as_bool) {
            Some(true) => return Some(whole(guard, StreamEnd::Completed)),
            Some(false) => self.has_end = true,
            None => {}
        }
        guard.token();
        self.tokens += 1;
        if guard.uses_text() {
            guard.text(text);
        }
        None
    }
}
