//! Decodes Server-Sent Events with bounded memory.

use std::str::Utf8Error;

use memchr::memchr2;

/// One Server-Sent Event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its `event:` field, if any.
    pub name: Option<String>,
    /// Its `data:` lines, joined by line ends.
    pub data: String,
}

/// A part of a stream that can be passed on unchanged: an event with all its lines and the blank line that ends it, or
/// lines between events.
#[derive(Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its bytes, unchanged.
    pub raw: &'a [u8],
    /// The event; `None` if the part has only blank lines, comments, or fields without data.
    pub event: Option<Event>,
}

/// Why a stream cannot be decoded further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// An event is over the decoder's limit.
    #[error("an event is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// An event is not UTF-8. The standard would insert a replacement character, but text that a vendor garbled must not
    /// reach a user as if it were intact.
    #[error("an event is not UTF-8: {0}")]
    NotUtf8(#[from] Utf8Error),
}

/// Decodes Server-Sent Events from pieces of any size, as the HTML standard defines them: lines end
/// with LF, CR or CRLF, a blank line ends an event, comments and unknown fields are skipped, and
/// an event without data is none. It differs in one point: see [`DecodeError::NotUtf8`].
///
/// It buffers the current event and nothing else: comments and blank lines between events are returned at once.
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
/// assert!(decoder.mid_event()); // "cut" has no blank line after it: it is not an event yet
/// # Ok::<(), wire::sse::DecodeError>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    event_bytes_max: usize,
    /// The beginning of the current part, when a piece ended inside it.
    held: Vec<u8>,
    /// What is buffered has been returned.
    given: bool,
    /// First byte of the current line, once it has one.
    line: Option<u8>,
    /// The current part has a line that is neither blank nor a comment.
    has_fields: bool,
    /// The last piece ended with CR: an LF at the start of the next belongs to it.
    after_cr: bool,
    /// The last line ended with CR and LF, so that a CR alone is the first half of such an end.
    crlf: bool,
    /// The current part lacks only that other half.
    awaits_lf: bool,
}

impl Decoder {
    /// A decoder that buffers at most `event_bytes_max` bytes of an event.
    #[must_use]
    pub fn new(event_bytes_max: usize) -> Self {
        Decoder {
            event_bytes_max,
            held: Vec::new(),
            given: false,
            line: None,
            has_fields: false,
            after_cr: false,
            crlf: false,
            awaits_lf: false,
        }
    }

    /// Decodes one more piece of the stream and appends the events that it completes to `events`.
    ///
    /// # Errors
    /// A [`DecodeError`], with all events before it in `events`. Nothing after it can be decoded.
    pub fn decode(&mut self, mut piece: &[u8], events: &mut Vec<Event>) -> Result<(), DecodeError> {
        while let Some(part) = self.next_part(&mut piece)? {
            events.extend(part.event);
        }
        Ok(())
    }

    /// The next part that `piece` completes; its bytes are taken from the front of `piece`. `None` when all of `piece` has
    /// been taken and the current part continues in the next piece.
    ///
    /// # Errors
    /// A [`DecodeError`]. Nothing after it can be decoded.
    pub fn next_part<'s, 'p: 's>(&'s mut self, piece: &mut &'p [u8]) -> Result<Option<Part<'s>>, DecodeError> {
        self.forget_given();
        let end = self.part_end(piece);
        let (taken, rest) = piece.split_at(end.unwrap_or(piece.len()));
        *piece = rest;
        let is_between = end.is_some() && !self.has_fields;
        if !is_between && self.held.len() + taken.len() > self.event_bytes_max {
            return Err(DecodeError::TooLarge { limit: self.event_bytes_max });
        }
        if end.is_none() {
            self.held.extend_from_slice(taken);
            return Ok(None);
        }
        let has_fields = std::mem::take(&mut self.has_fields);
        let raw = if self.held.is_empty() {
            taken
        } else {
            self.held.extend_from_slice(taken);
            self.given = true;
            &self.held
        };
        let event = if has_fields { parse(raw)? } else { None };
        Ok(Some(Part { raw, event }))
    }

    /// The current part at the proper end of the body, as if a blank line followed: some servers leave it out after their
    /// last event.
    ///
    /// # Errors
    /// [`DecodeError::NotUtf8`].
    pub fn finish(&mut self) -> Result<Option<Part<'_>>, DecodeError> {
        self.forget_given();
        if !self.mid_event() {
            return Ok(None);
        }
        (self.line, self.has_fields, self.given, self.awaits_lf) = (None, false, true, false);
        let event = parse(&self.held)?;
        Ok(Some(Part { raw: &self.held, event }))
    }

    /// Whether the stream is inside an event, which is truncated if the stream ends here.
    #[must_use]
    pub fn mid_event(&self) -> bool {
        self.line.is_some() || self.has_fields
    }

    /// Whether the next part begins with buffered bytes of an earlier piece.
    #[must_use]
    pub fn holds_bytes(&self) -> bool {
        !self.given && !self.held.is_empty()
    }

    fn forget_given(&mut self) {
        /// Capacity that the buffer may keep, so that one large event does not occupy its size for the rest of the stream.
        const KEPT_BYTES: usize = 4 * 1024;
        if std::mem::take(&mut self.given) {
            self.held.clear();
            self.held.shrink_to(KEPT_BYTES);
        }
    }

    /// Where in `piece` the current part ends, if it does: after a blank line, or after a comment outside an event.
    fn part_end(&mut self, piece: &[u8]) -> Option<usize> {
        let mut at = 0;
        if self.after_cr && !piece.is_empty() {
            self.after_cr = false;
            at = usize::from(piece[0] == b'\n');
            self.crlf = at > 0;
            if std::mem::take(&mut self.awaits_lf) {
                return Some(at);
            }
        }
        // The end so far of the lines outside an event: all of them are one part.
        let mut between = None;
        while let Some(length) = memchr2(b'\n', b'\r', &piece[at..]) {
            let first = self.line.take().or((length > 0).then(|| piece[at]));
            if between.is_some() && first.is_some_and(|first| first != b':') {
                return between;
            }
            at += length + 1;
            let after_crlf = std::mem::take(&mut self.crlf);
            if piece[at - 1] == b'\r' {
                match piece.get(at) {
                    Some(b'\n') => {
                        at += 1;
                        self.crlf = true;
                    }
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
            match first {
                // The LF may follow; it belongs to the part that it ends.
                None if self.has_fields && self.after_cr && after_crlf => {
                    self.awaits_lf = true;
                    return None;
                }
                None if self.has_fields => return Some(at),
                None | Some(b':') if !self.has_fields => between = Some(at),
                None | Some(b':') => {}
                Some(_) => self.has_fields = true,
            }
        }
        if between.is_some() {
            return between;
        }
        self.line = self.line.or(piece.get(at).copied());
        None
    }
}

/// The event in these lines, if they have data.
fn parse(raw: &[u8]) -> Result<Option<Event>, DecodeError> {
    /// A byte order mark, with which some servers begin their stream.
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    let (mut name, mut data) = (None, None::<String>);
    let mut rest = raw.strip_prefix(BYTE_ORDER_MARK).unwrap_or(raw);
    while !rest.is_empty() {
        let length = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let (line, tail) = rest.split_at(length);
        rest = match tail {
            [b'\r', b'\n', after @ ..] | [_, after @ ..] => after,
            [] => &[],
        };
        let colon = line.iter().position(|byte| *byte == b':');
        let (field, value) = colon.map_or((line, &line[length..]), |colon| (&line[..colon], &line[colon + 1..]));
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                let value = str::from_utf8(value)?;
                match &mut data {
                    Some(data) => data.extend(["\n", value]),
                    None => data = Some(value.to_owned()),
                }
            }
            b"event" => name = Some(str::from_utf8(value)?.to_owned()),
            // A comment (`: ping`) or a field that is not used here (`id`, `retry`).
            _ => {}
        }
    }
    Ok(data.map(|data| Event { name, data }))
}
