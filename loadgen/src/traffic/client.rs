//! What a client of a load does with its answer.

use std::time::Duration;

use super::StreamFormat;

/// What a client does with its answer. By default it reads as fast as it can, to the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Client {
    /// Time after which it disconnects, from when its request was due.
    pub disconnects_after: Option<Duration>,
    /// Number of tokens after which it disconnects.
    pub disconnects_after_tokens: Option<u32>,
    /// How it reads.
    pub reads: Reads,
    /// Whether it takes the end of the connection for the end of the answer, as a client does that does not look for
    /// `[DONE]`.
    pub accepts_eof: bool,
    /// Whether it takes the data of an event for text whatever is in it, as a client does of a stream without a format.
    /// Only tokens of the servers' own format, `[DONE]` and an event named `error` mean something else to it.
    pub data_is_text: bool,
    /// Whether it keeps the text of its answer, to be compared with others.
    pub keeps_text: bool,
    /// What it takes streams to be made of.
    pub format: StreamFormat,
}

/// How a client reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reads {
    /// Everything, as soon as it is there.
    #[default]
    AtOnce,
    /// Nothing more after this many tokens, while it keeps its connection open: whatever is sent to it fills the
    /// buffers on its way, and then blocks.
    StopsAfter(u32),
    /// At most this many bytes of the body per second.
    Slowly(u32),
}

impl Client {
    /// Disconnects this long after its request was due.
    #[must_use]
    pub fn disconnects_after(self, after: Duration) -> Self {
        Client { disconnects_after: Some(after), ..self }
    }

    /// Disconnects after this many tokens.
    #[must_use]
    pub fn disconnects_after_tokens(self, tokens: u32) -> Self {
        Client { disconnects_after_tokens: Some(tokens), ..self }
    }

    /// Whether it disconnects now that it has this many tokens.
    #[must_use]
    pub fn has_enough(&self, tokens: u32) -> bool {
        self.disconnects_after_tokens.is_some_and(|most| tokens >= most)
    }

    /// Stops to read after this many tokens, and keeps its connection open.
    #[must_use]
    pub fn stops_reading_after(self, tokens: u32) -> Self {
        Client { reads: Reads::StopsAfter(tokens), ..self }
    }

    /// Reads at most this many bytes per second.
    #[must_use]
    pub fn reads_slowly(self, bytes_per_second: u32) -> Self {
        Client { reads: Reads::Slowly(bytes_per_second), ..self }
    }

    /// Takes the end of the connection for the end of the answer.
    #[must_use]
    pub fn accepts_eof(self) -> Self {
        Client { accepts_eof: true, ..self }
    }

    /// Takes the data of an event for text, whatever is in it.
    #[must_use]
    pub fn takes_data_for_text(self) -> Self {
        Client { data_is_text: true, ..self }
    }

    /// Keeps the text of its answer.
    #[must_use]
    pub fn keeps_text(self) -> Self {
        Client { keeps_text: true, ..self }
    }

    /// The same, but does not disconnect.
    pub(super) fn staying(self) -> Self {
        Client { disconnects_after: None, disconnects_after_tokens: None, ..self }
    }
}
