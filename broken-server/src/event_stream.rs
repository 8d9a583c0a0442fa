//! The vendor's stream, whichever client reads it.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream::{self, LocalBoxStream, Stream, StreamExt};
use gateway::ActiveCall;

use crate::errors::Failure;
use crate::upstream::Message;

/// The vendor's stream, up to `[DONE]` or the failure that ended it.
pub(crate) struct EventStream {
    stream: LocalBoxStream<'static, Result<Message, Failure>>,
    method: &'static str,
    /// Ends with the stream. After `stream`, so that the vendor's call is dropped before its permit is given back.
    _in_flight: Option<ActiveCall>,
}

impl EventStream {
    /// A stream that blocks a thread while it waits.
    pub(crate) fn blocking(stream: impl Stream<Item = Result<Message, Failure>> + 'static) -> Self {
        EventStream { stream: stream.boxed_local(), method: "blocking", _in_flight: None }
    }

    /// A stream that waits without a thread.
    pub(crate) fn asynchronous(stream: impl Stream<Item = Result<Message, Failure>> + 'static) -> Self {
        EventStream { stream: stream.boxed_local(), method: "async", _in_flight: None }
    }

    /// The same stream, with these messages put back in front.
    pub(crate) fn after(self, taken: Vec<Message>) -> Self {
        let taken = stream::iter(taken.into_iter().map(Ok));
        EventStream { stream: taken.chain(self.stream).boxed_local(), ..self }
    }

    /// The same stream, which holds `call` to its end.
    pub(crate) fn holding(self, call: ActiveCall) -> Self {
        EventStream { _in_flight: Some(call), ..self }
    }

    /// The same stream, which keeps `held` to its end.
    pub(crate) fn keeping<T: 'static>(self, held: T) -> Self {
        let stream = self.stream.inspect(move |_| _ = &held).boxed_local();
        EventStream { stream, ..self }
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
