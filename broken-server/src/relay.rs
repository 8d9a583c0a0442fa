//! Turns the vendor's events into the client's. The status is held back until the first token.

mod beginning;
mod early;

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::call_guard::CallGuard;
use crate::errors::Failure;
use crate::event_stream::EventStream;
use crate::format::Format;
use crate::upstream::Message;
use beginning::Beginning;

pub(crate) use early::{EarlyBody, Opening};

/// A stream whose first token has come, so that its status can be sent.
pub(crate) struct Relay {
    messages: EventStream,
    format: Format,
    /// The first token, and the chunks before it.
    head: Bytes,
    done: bool,
}

impl Relay {
    /// Waits for the first token.
    ///
    /// # Errors
    /// The failure that came instead. Nothing has been sent yet, so it can still become a status.
    pub(crate) async fn open(
        mut messages: EventStream,
        format: Format,
        guard: &mut CallGuard,
    ) -> Result<Self, Failure> {
        let mut beginning = Beginning::new(format);
        while !beginning.add(messages.next().await.unwrap_or(Err(NO_END))?) {}
        let (mut head, mut done) = (Vec::new(), false);
        for message in beginning.into_messages() {
            if message.text().is_some() {
                guard.token();
            }
            done |= message.is_done();
            format.render(&message, &mut head);
        }
        if done {
            guard.succeeded();
        }
        Ok(Relay { messages, format, head: head.into(), done })
    }

    /// The response's body. It ends with an error event when the vendor fails, or when `grace_over` is
    /// cancelled; dropping it drops the call.
    pub(crate) fn into_body(self, guard: CallGuard, grace_over: CancellationToken) -> StreamBody {
        let Relay { messages, format, head, done } = self;
        let (method, grace_over) = (messages.method(), Box::pin(grace_over.cancelled_owned()));
        StreamBody { messages: Some(messages), method, format, head: Some(head), guard, grace_over, done }
    }
}

/// See [`Relay::into_body`]. It polls the vendor's stream itself, without a task or a buffer: a client that reads slowly
/// slows the vendor down, and when the client disconnects, nothing goes on.
pub(crate) struct StreamBody {
    /// None once the stream has ended: dropping it ends the call and gives back its permit.
    messages: Option<EventStream>,
    method: &'static str,
    format: Format,
    head: Option<Bytes>,
    guard: CallGuard,
    grace_over: Pin<Box<WaitForCancellationFutureOwned>>,
    done: bool,
}

impl Stream for StreamBody {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let body = self.get_mut();
        if let Some(head) = body.head.take().filter(|head| !head.is_empty()) {
            return Poll::Ready(Some(Ok(head)));
        }
        while let Some(messages) = &mut body.messages {
            if !body.done && body.grace_over.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Some(Ok(body.fail(&Failure::ShuttingDown))));
            }
            let text = match ready!(messages.poll_next_unpin(cx)) {
                Some(Ok(message)) => body.pass_on(&message),
                // After [DONE] the rest is read only so that the vendor's connection can be used again.
                _ if body.done => body.end(),
                // Reads fail too when the grace is over: they failed because of it.
                Some(Err(_)) if body.grace_over.as_mut().poll(cx).is_ready() => body.fail(&Failure::ShuttingDown),
                Some(Err(failure)) => body.fail(&failure),
                None => body.fail(&NO_END),
            };
            if !text.is_empty() {
                return Poll::Ready(Some(Ok(text)));
            }
        }
        Poll::Ready(None)
    }
}

impl StreamBody {
    /// What `X-Stream-Method` says.
    pub(crate) fn method(&self) -> &'static str {
        self.method
    }

    fn pass_on(&mut self, message: &Message) -> Bytes {
        if message.is_done() {
            self.done = true;
            self.guard.succeeded();
        } else if message.text().is_some() {
            self.guard.token();
        }
        if matches!(self.format, Format::Chunks) {
            return message.raw.clone();
        }
        let mut text = Vec::new();
        self.format.render(message, &mut text);
        text.into()
    }

    fn end(&mut self) -> Bytes {
        self.messages = None;
        Bytes::new()
    }

    /// Ends the stream. What it holds is given back before the error event is sent.
    fn fail(&mut self, failure: &Failure) -> Bytes {
        self.messages = None;
        self.guard.stream_failed(failure);
        self.format.failure(&failure.body()).into()
    }
}

/// Waits for the first token of a stream in this format, and returns the whole stream, that token included.
///
/// # Errors
/// The failure that came instead.
pub(crate) async fn first_token(mut messages: EventStream, format: Format) -> Result<EventStream, Failure> {
    let mut beginning = Beginning::new(format);
    while !beginning.add(messages.next().await.unwrap_or(Err(NO_END))?) {}
    Ok(messages.after(beginning.into_messages()))
}

/// The clients in `upstream` end every stream with `[DONE]` or a failure, but a thread that panics does not.
const NO_END: Failure = Failure::Internal("a stream ended with neither [DONE] nor a failure");
