//! The vendor's stream, whichever client reads it.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream::{self, LocalBoxStream, Stream, StreamExt};

use crate::errors::Failure;
use crate::metrics::ActiveCall;
use crate::upstream::Message;

/// The vendor's messages, up to `[DONE]` or the failure that ended them.
pub(crate) struct EventStream {
    stream: LocalBoxStream<'static, Result<Message, Failure>>,
    method: &'static str,
    /// What ends with them. Behind them, so that the vendor's call ends before its permit is given back.
    _in_flight: Option<ActiveCall>,
}

impl EventStream {
    /// EventStream that a thread waits for.
    pub(crate) fn blocking(stream: impl Stream<Item = Result<Message, Failure>> + 'static) -> Self {
        EventStream { stream: stream.boxed_local(), method: "blocking", _in_flight: None }
    }

    /// EventStream that no thread waits for.
    pub(crate) fn asynchronous(stream: impl Stream<Item = Result<Message, Failure>> + 'static) -> Self {
        EventStream { stream: stream.boxed_local(), method: "async", _in_flight: None }
    }

    /// The same, after some that were taken from them already.
    pub(crate) fn after(self, taken: Vec<Message>) -> Self {
        let taken = stream::iter(taken.into_iter().map(Ok));
        EventStream { stream: taken.chain(self.stream).boxed_local(), ..self }
    }

    /// The same, holding `call` to their end.
    pub(crate) fn holding(self, call: ActiveCall) -> Self {
        EventStream { _in_flight: Some(call), ..self }
    }

    /// What `X-Stream-Method` says: `blocking` or `async`.
    pub(crate) fn method(&self) -> &'static str {
        self.method
    }
}

impl Stream for EventStream {
    type Item = Result<Message, Failure>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.poll_next_unpin(cx)
    }
}
