use std::str::Utf8Error;

use memchr::memchr2;

/// One Server-Sent Event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its `event:` field, where it has one.
    pub name: Option<String>,
    /// Its `data:` lines, joined by line ends.
    pub data: String,
}

/// Why a stream cannot be read further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// An event grew over the decoder's cap.
    #[error("an event is larger than {limit} bytes")]
    TooLarge {
        /// The cap in bytes.
        limit: usize,
    },
    /// A line is no UTF-8. The standard would put a replacement character; text that a vendor
    /// garbled must not reach a user as if it were whole.
    #[error("an event is not UTF-8: {0}")]
    NotUtf8(#[from] Utf8Error),
}

/// Decodes Server-Sent Events from pieces of any size, as the HTML standard defines them: lines end
/// with LF, CR or CRLF, a blank line ends an event, comments and unknown fields are passed over, an
/// event without data is none. It differs in one point: see [`DecodeError::NotUtf8`].
///
/// ```
/// use wire::sse::Decoder;
///
/// let mut decoder = Decoder::new(1024);
/// let mut events = Vec::new();
/// decoder.decode(b"data: hel", &mut events)?;
/// decoder.decode(b"lo\n\ndata: cut", &mut events)?;
/// assert_eq!(events.len(), 1);
/// assert_eq!(events[0].data, "hello");
/// assert!(decoder.mid_event()); // "cut" has no blank line behind it: it is not an event yet
/// # Ok::<(), wire::sse::DecodeError>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    event_bytes_max: usize,
    /// The line under way, when a piece ended inside it.
    line: Vec<u8>,
    /// The event under way.
    name: Option<String>,
    data: Option<String>,
    /// The last piece ended with CR: an LF at the start of the next belongs to it.
    after_cr: bool,
    at_start: bool,
}

impl Decoder {
    /// A decoder that holds at most `event_bytes_max` bytes of an event.
    #[must_use]
    pub fn new(event_bytes_max: usize) -> Self {
        Decoder { event_bytes_max, line: Vec::new(), name: None, data: None, after_cr: false, at_start: true }
    }

    /// Reads one more piece of the stream and appends the events that it completes to `events`.
    ///
    /// # Errors
    /// A [`DecodeError`], with all events before it in `events`. The stream is of no use from there.
    pub fn decode(&mut self, piece: &[u8], events: &mut Vec<Event>) -> Result<(), DecodeError> {
        let mut rest = piece;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = memchr2(b'\n', b'\r', rest) {
            let (line, tail) = rest.split_at(end);
            rest = match tail {
                [b'\r', b'\n', after @ ..] => after,
                [b'\r'] => {
                    self.after_cr = true;
                    &[]
                }
                [_, after @ ..] => after,
                [] => &[],
            };
            self.end_line(line, events)?;
        }
        self.check_size(rest.len())?;
        self.line.extend_from_slice(rest);
        Ok(())
    }

    /// Whether the stream stands inside an event: if it ends here, that event was cut.
    #[must_use]
    pub fn mid_event(&self) -> bool {
        !self.line.is_empty() || self.data.is_some() || self.name.is_some()
    }

    fn end_line(&mut self, tail: &[u8], events: &mut Vec<Event>) -> Result<(), DecodeError> {
        self.check_size(tail.len())?;
        if self.line.is_empty() {
            return self.take_line(tail, events);
        }
        let mut line = std::mem::take(&mut self.line);
        line.extend_from_slice(tail);
        let result = self.take_line(&line, events);
        // Give the buffer back, so that split lines do not allocate again and again.
        line.clear();
        self.line = line;
        result
    }

    fn take_line(&mut self, line: &[u8], events: &mut Vec<Event>) -> Result<(), DecodeError> {
        let mut line = str::from_utf8(line)?;
        if std::mem::take(&mut self.at_start) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if line.is_empty() {
            let name = self.name.take();
            if let Some(data) = self.data.take() {
                events.push(Event { name, data });
            }
            return Ok(());
        }
        let (field, value) = match line.split_once(':') {
            Some((field, value)) => (field, value.strip_prefix(' ').unwrap_or(value)),
            None => (line, ""),
        };
        match field {
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "event" => self.name = Some(value.to_owned()),
            // A comment (`: ping`), or a field that nothing here uses (`id`, `retry`).
            _ => {}
        }
        Ok(())
    }

    fn check_size(&self, more: usize) -> Result<(), DecodeError> {
        let held = self.line.len() + self.data.as_ref().map_or(0, String::len) + more;
        if held > self.event_bytes_max {
            return Err(DecodeError::TooLarge { limit: self.event_bytes_max });
        }
        Ok(())
    }
}
