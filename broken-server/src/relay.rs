use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use wire::sse::{self, Event};
use wire::stream::{VendorEvent, error_event, token_event};

use crate::calls::Messages;
use crate::errors::Failure;
use crate::metrics::CallGuard;
use crate::vendor::Message;

/// Chunks without text that are held back while the first token is waited for. A vendor sends one
/// that only says who speaks, some one more before it; beyond that it generates something other than
/// text (a tool's arguments), which is to flow as well.
const HELD_CHUNKS_MAX: usize = 3;

/// What a stream's client gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `/chat/stream`: `data: {"content":"..."}` for each token.
    Tokens,
    /// OpenAI's routes: the vendor's events, passed on.
    Chunks,
}

/// A stream whose first token is there, so that its status can be sent.
pub(crate) struct Relay {
    messages: Messages,
    format: Format,
    /// What was waited for: the first token, and the chunks before it.
    head: Bytes,
    done: bool,
}

impl Relay {
    /// Waits for the first token.
    ///
    /// # Errors
    /// The failure that came in its place. Nothing has been sent then, so it can still be a status.
    pub(crate) async fn open(mut messages: Messages, format: Format, guard: &mut CallGuard) -> Result<Self, Failure> {
        let mut head = String::new();
        let mut held = 0;
        loop {
            let message = messages.next().await.unwrap_or(Err(NO_END))?;
            format.render(&message, &mut head);
            if message.content.text().is_some() {
                guard.token();
            }
            held += 1;
            if begins(&message, held) && !head.is_empty() {
                let done = message.content == VendorEvent::Done;
                if done {
                    guard.succeeded();
                }
                return Ok(Relay { messages, format, head: head.into(), done });
            }
        }
    }

    /// What `X-Stream-Method` says.
    pub(crate) fn method(&self) -> &'static str {
        self.messages.method()
    }

    /// The response's body. It ends with an error event when the vendor fails, or when `cut` is
    /// cancelled; dropping it drops the call.
    pub(crate) fn into_body(self, guard: CallGuard, cut: CancellationToken) -> Body {
        let Relay { messages, format, head, done } = self;
        let cut = Box::pin(cut.cancelled_owned());
        Body { messages: Some(messages), format, head: Some(head), guard, cut, done }
    }
}

/// See [`Relay::into_body`]. It polls the messages itself: no task and no buffer of its own, so a
/// client that reads slowly slows the vendor down, and nothing goes on after the client has left.
pub(crate) struct Body {
    /// None once the stream has ended: with them goes the call, and its permit.
    messages: Option<Messages>,
    format: Format,
    head: Option<Bytes>,
    guard: CallGuard,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    done: bool,
}

impl Stream for Body {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let body = self.get_mut();
        if let Some(head) = body.head.take() {
            return Poll::Ready(Some(Ok(head)));
        }
        while let Some(messages) = &mut body.messages {
            if !body.done && body.cut.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Some(Ok(body.fail(&Failure::ShuttingDown))));
            }
            let text = match ready!(messages.poll_next_unpin(cx)) {
                Some(Ok(message)) => body.pass_on(&message),
                // After [DONE] the rest is read only to keep the vendor's connection usable.
                _ if body.done => body.end(),
                // The cut makes reads fail as well: those failed because of it.
                Some(Err(_)) if body.cut.as_mut().poll(cx).is_ready() => body.fail(&Failure::ShuttingDown),
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

impl Body {
    fn pass_on(&mut self, message: &Message) -> Bytes {
        match &message.content {
            VendorEvent::Done => {
                self.done = true;
                self.guard.succeeded();
            }
            other => {
                if other.text().is_some() {
                    self.guard.token();
                }
            }
        }
        let mut text = String::new();
        self.format.render(message, &mut text);
        text.into()
    }

    fn end(&mut self) -> Bytes {
        self.messages = None;
        Bytes::new()
    }

    /// Ends the stream, and gives back what it held before the event that says so is sent.
    fn fail(&mut self, failure: &Failure) -> Bytes {
        self.messages = None;
        self.guard.broke(failure);
        error_event(&failure.body()).into()
    }
}

/// Whether a stream has begun with `message`, which is the `held`th of those held back.
fn begins(message: &Message, held: usize) -> bool {
    message.content.begins() || held >= HELD_CHUNKS_MAX
}

/// Waits for the first token, and returns all messages, those included that were waited for.
///
/// # Errors
/// The failure that came in its place.
pub(crate) async fn first_token(mut messages: Messages) -> Result<Messages, Failure> {
    let mut held = Vec::new();
    loop {
        let message = messages.next().await.unwrap_or(Err(NO_END))?;
        let begun = begins(&message, held.len() + 1);
        held.push(message);
        if begun {
            return Ok(messages.after(held));
        }
    }
}

/// The clients in `vendor` end every stream with `[DONE]` or a failure. A thread that panicked does not.
const NO_END: Failure = Failure::Internal("a stream ended with neither [DONE] nor a failure");

impl Format {
    /// Appends `message` as this format has it, if it has it at all.
    fn render(self, message: &Message, text: &mut String) {
        match (&message.content, self) {
            (VendorEvent::Done, _) => text.push_str(sse::DONE),
            (other, Format::Tokens) => text.extend(other.text().map(token_event)),
            (_, Format::Chunks) => encode(&message.event, text),
        }
    }
}

fn encode(event: &Event, text: &mut String) {
    if let Some(name) = &event.name {
        text.extend(["event: ", name, "\n"]);
    }
    for line in event.data.split('\n') {
        text.extend(["data: ", line, "\n"]);
    }
    text.push('\n');
}
