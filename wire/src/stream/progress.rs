//! When a stream is whole.

use super::{CompletionEvent, ReportedFailure};
use crate::sse::{self, Decoder, Part};

/// How far a vendor's stream has come, for the one rule of when it is whole: `[DONE]` has come, or a
/// finish reason for every choice that was begun and then an orderly end of the body (the last chunk of
/// its encoding, or all bytes of its length). Everything else was cut.
///
/// [`Progress::end`] applies it, and knows that some servers leave out the blank line behind their last event.
///
/// ```
/// use wire::sse::{Decoder, EVENT_BYTES_MAX};
/// use wire::stream::{Progress, CompletionEvent};
///
/// let (mut decoder, mut events) = (Decoder::new(EVENT_BYTES_MAX), Vec::new());
/// decoder.decode(b"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n", &mut events)?;
/// let mut progress = Progress::default();
/// for event in &events {
///     progress.note(&CompletionEvent::read(event)?);
/// }
/// assert!(!progress.is_done()); // more may come
/// assert!(progress.is_whole()); // but if the body ends in order here, nothing is missing
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    done: bool,
    /// Choices that were named, a bit for each.
    begun: u64,
    /// Choices that have a finish reason.
    ended: u64,
    /// Lines came that belong to no stream of events.
    strange: bool,
}

/// What the end of a stream's body adds.
#[derive(Debug, PartialEq, Eq)]
pub struct EndOfBody {
    /// Events that came without the blank line behind them, and [`CompletionEvent::Done`] of a whole stream.
    pub events: Vec<CompletionEvent>,
    /// What a relay has still to pass on: the bytes of these events, with the blank line that was missing,
    /// and with a `[DONE]` where the vendor left it out.
    pub raw: Vec<u8>,
    /// Why the stream is not whole, if it is not.
    pub fault: Option<StreamEndError>,
}

/// Why a stream is not whole whose body ended in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEndError {
    /// It was cut.
    Truncated,
    /// It was no stream of events at all.
    UnexpectedFormat,
    /// Its last event reports a failure.
    Reported(ReportedFailure),
}

impl Progress {
    /// Takes note of the next event.
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

    /// Takes note of lines that are no event.
    pub fn note_lines(&mut self, raw: &[u8]) {
        const BETWEEN_EVENTS: [&[u8]; 4] = [b":", b"id", b"retry", b"event"];
        let text = raw.trim_ascii_start();
        self.strange |= !text.is_empty() && !BETWEEN_EVENTS.iter().any(|field| text.starts_with(field));
    }

    /// Takes note of an orderly end of the body, at which `decoder` holds what was not complete.
    pub fn end(&mut self, decoder: &mut Decoder) -> EndOfBody {
        let mut end = EndOfBody { events: Vec::new(), raw: Vec::new(), fault: None };
        // Text that is cut in a character was cut.
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
            false if self.strange => end.fault = Some(StreamEndError::UnexpectedFormat),
            false => end.fault = Some(StreamEndError::Truncated),
        }
        end
    }

    /// Whether `[DONE]` has come: nothing counts that comes after it.
    #[must_use]
    pub fn is_done(self) -> bool {
        self.done
    }

    /// Whether the stream is whole if its body has ended in order here.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.done || (self.ended != 0 && self.begun & !self.ended == 0)
    }
}
