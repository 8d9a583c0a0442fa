use super::VendorEvent;

/// How far a vendor's stream has come, for the one rule of when it is whole: `[DONE]` has come, or a
/// finish reason for every choice that was begun and then an orderly end of the body (the last chunk of
/// its encoding, or all bytes of its length). Everything else was cut.
///
/// At an orderly end [`crate::sse::Decoder::finish`] has to be asked first: some servers leave out the
/// blank line behind their `[DONE]`.
///
/// ```
/// use wire::sse::{Decoder, EVENT_BYTES_MAX};
/// use wire::stream::{Progress, VendorEvent};
///
/// let (mut decoder, mut events) = (Decoder::new(EVENT_BYTES_MAX), Vec::new());
/// decoder.decode(b"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n", &mut events)?;
/// let mut progress = Progress::default();
/// for event in &events {
///     progress.note(&VendorEvent::read(event)?);
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
}

impl Progress {
    /// Takes note of the next event.
    pub fn note(&mut self, event: &VendorEvent) {
        match event {
            VendorEvent::Done => self.done = true,
            VendorEvent::Chunk(reading) => {
                self.begun |= reading.choices;
                self.ended |= reading.ended;
            }
            VendorEvent::Other | VendorEvent::Error(_) => {}
        }
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
