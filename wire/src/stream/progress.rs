//! When a stream is complete.

use super::{CompletionEvent, ReportedFailure};
use crate::sse::{self, Decoder, Part};

/// What has arrived of a vendor's stream, and the one rule for when it is complete: after `[DONE]`, or after a finish
/// reason for every choice that has begun, followed by the proper end of the body (the last chunk of its encoding, or all
/// bytes of its length). Any other end is truncated.
///
/// [`Progress::end`] applies the rule and allows for servers that leave out the blank line after their last event.
///
/// ```
/// use wire::sse::{Decoder, EVENT_BYTES_MAX};
/// use wire::stream::{CompletionEvent, Progress};
///
/// let (mut decoder, mut events) = (Decoder::new(EVENT_BYTES_MAX), Vec::new());
/// decoder.decode(b"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n", &mut events)?;
/// let mut progress = Progress::default();
/// for event in &events {
///     progress.note(&CompletionEvent::read(event)?);
/// }
/// assert!(!progress.is_done()); // more may follow
/// assert!(progress.is_whole()); // but if the body ends properly here, nothing is missing
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    done: bool,
    /// Choices that have begun, a bit for each.
    begun: u64,
    /// Choices that have a finish reason.
    ended: u64,
    /// There were lines that are not part of an event stream.
    not_sse: bool,
}

/// What the end of a stream's body adds.
#[derive(Debug, PartialEq, Eq)]
pub struct EndOfBody {
    /// Events without the blank line after them, and [`CompletionEvent::Done`] of a complete stream.
    pub events: Vec<CompletionEvent>,
    /// What a relay must still pass on: the bytes of these events with the missing blank line, and `[DONE]` if the vendor
    /// left it out.
    pub raw: Vec<u8>,
    /// Why the stream is not complete, if it is not.
    pub fault: Option<StreamEndError>,
}

/// Why a stream is not complete although its body ended properly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEndError {
    /// It was truncated.
    Truncated,
    /// It was not an event stream.
    UnexpectedFormat,
    /// Its last event reports a failure.
    Reported(ReportedFailure),
}

impl Progress {
    /// Notes the next event.
    pub fn note(&mut self, event: &CompletionEvent) {
        match event {
            CompletionEvent::Done => self.done = true,
            CompletionEvent::Chunk(reading) => {
                self.begun |= reading.choices;
                self.ended |= reading.ended;
            }
            CompletionEvent::Other | CompletionEvent::Error(_) => {}
        }
    }

    /// Notes lines outside events.
    pub fn note_lines(&mut self, raw: &[u8]) {
        const BETWEEN_EVENTS: [&[u8]; 4] = [b":", b"id", b"retry", b"event"];
        let text = raw.trim_ascii_start();
        self.not_sse |= !text.is_empty() && !BETWEEN_EVENTS.iter().any(|field| text.starts_with(field));
    }

    /// Notes the proper end of the body; `decoder` has the incomplete rest.
    pub fn end(&mut self, decoder: &mut Decoder) -> EndOfBody {
        let mut end = EndOfBody { events: Vec::new(), raw: Vec::new(), fault: None };
        // Text that ends inside a character is truncated.
        let last = decoder.finish().unwrap_or(Some(Part { raw: b"", event: None }));
        match last.as_ref().map(|part| (part, part.event.as_ref().map(CompletionEvent::read))) {
            Some((_, Some(Ok(CompletionEvent::Error(failure))))) => {
                end.fault = Some(StreamEndError::Reported(failure));
                return end;
            }
            Some((part, Some(Ok(event)))) => {
                self.note(&event);
                let lines = part.raw.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
                end.raw = [&part.raw[..lines], b"\n\n"].concat();
                end.events.push(event);
            }
            // Half an event.
            Some((_, Some(Err(_)))) => end.fault = Some(StreamEndError::Truncated),
            Some((part, None)) => self.note_lines(part.raw),
            None => {}
        }
        if end.fault.is_some() {
            return end;
        }
        match self.is_whole() {
            true if self.done => {}
            true => {
                self.done = true;
                end.events.push(CompletionEvent::Done);
                end.raw.extend_from_slice(sse::DONE.as_bytes());
            }
            false if self.not_sse => end.fault = Some(StreamEndError::UnexpectedFormat),
            false => end.fault = Some(StreamEndError::Truncated),
        }
        end
    }

    /// Whether `[DONE]` has arrived: nothing after it counts.
    #[must_use]
    pub fn is_done(self) -> bool {
        self.done
    }

    /// Whether the stream is complete if its body ends properly here.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.done || (self.ended != 0 && self.begun & !self.ended == 0)
    }
}
