//! Whoever follows one stream token by token.

use std::fmt;
use std::sync::Arc;

/// What is new of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamNews<'a> {
    /// The head of its answer has arrived, with this status.
    Answered(u16),
    /// A token has arrived, with this text.
    Token(&'a str),
}

/// Is called with all that is new of a stream. It must not block.
#[derive(Clone)]
pub struct StreamListener(Arc<dyn Fn(StreamNews<'_>) + Send + Sync>);

impl StreamListener {
    /// Calls `listen`.
    pub fn new(listen: impl Fn(StreamNews<'_>) + Send + Sync + 'static) -> Self {
        StreamListener(Arc::new(listen))
    }

    pub(super) fn hear(&self, news: StreamNews<'_>) {
        (self.0)(news);
    }
}

impl fmt::Debug for StreamListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamListener")
    }
}
