use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use http_body::{Body, Frame};
use resilience::{OutcomeGuard, Permit};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use wire::sse::{self, Event};
use wire::stream::{VendorEvent, error_event, token_event};

use crate::errors::Failure;
use crate::outcome::Outcome;
use crate::stack::Opened;
use crate::telemetry::OpenStream;
use crate::upstream::{EventStream, Message};

/// What a stream's client gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `/chat/stream`: `data: {"content":"..."}` for each token.
    Tokens,
    /// OpenAI's routes: the vendor's events, passed on.
    Chunks,
}

/// A streamed answer. The connection polls it, and it polls the vendor: a client that reads slowly
/// slows the vendor down, and between the two there is no buffer that could grow.
///
/// It owns what the stream holds. Whatever ends it (the last token, a failure, the client's leaving,
/// which makes the connection drop it) gives the permit back, ends the vendor's call and records the
/// outcome, in this one place.
pub(crate) struct StreamBody {
    /// None once the stream has ended.
    running: Option<Running>,
    format: Format,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

struct Running {
    events: EventStream,
    guard: OutcomeGuard<Outcome>,
    open: OpenStream,
    last_token: Option<Instant>,
    done: bool,
    _permit: Permit,
}

impl StreamBody {
    /// The body of a stream whose first token is there. When `cut` is cancelled, it ends with an
    /// error event.
    pub(crate) fn new(
        opened: Opened,
        guard: OutcomeGuard<Outcome>,
        open: OpenStream,
        format: Format,
        cut: CancellationToken,
    ) -> Self {
        let Opened { events, permit } = opened;
        let running = Running { events, guard, open, last_token: None, done: false, _permit: permit };
        StreamBody { running: Some(running), format, cut: Box::pin(cut.cancelled_owned()) }
    }

    /// Ends the stream: what it held is given back before the last bytes are sent.
    fn end(&mut self, failure: Option<&Failure>, text: &mut String) {
        let Some(running) = self.running.take() else { return };
        match failure {
            None => running.guard.record(Outcome::Success),
            Some(failure) => {
                running.open.failed(failure);
                running.guard.record(failure.stream_outcome());
                text.push_str(&error_event(&failure.body()));
            }
        }
    }
}

impl Body for StreamBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        let mut text = String::new();
        while text.is_empty() {
            let Some(running) = &mut this.running else { return Poll::Ready(None) };
            let mut next = match running.events.poll_next(cx) {
                Poll::Ready(next) => next,
                Poll::Pending => {
                    ready!(this.cut.as_mut().poll(cx));
                    Some(Err(Failure::ShuttingDown))
                }
            };
            // What came together goes out together: one write, not one for each.
            while let Some(message) = next {
                match message {
                    Ok(message) => running.pass_on(&message, this.format, &mut text),
                    Err(failure) => {
                        this.end(Some(&failure), &mut text);
                        return frame(text);
                    }
                }
                next = running.events.take_arrived();
            }
            if running.done {
                // The vendor's end of body is mostly there already. Seen, it lets its connection be
                // used again; but nobody waits for it.
                let _ = running.events.poll_next(cx);
                this.end(None, &mut text);
            }
        }
        frame(text)
    }

    /// Lets the connection put the end of the body into the same write as the last event.
    fn is_end_stream(&self) -> bool {
        self.running.is_none()
    }
}

fn frame(text: String) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
    Poll::Ready((!text.is_empty()).then(|| Ok(Frame::data(text.into()))))
}

impl Running {
    fn pass_on(&mut self, message: &Message, format: Format, text: &mut String) {
        match &message.content {
            VendorEvent::Chunk { text: Some(_), .. } => {
                let now = Instant::now();
                self.open.token(self.last_token.replace(now).map(|last| now - last));
            }
            VendorEvent::Done => self.done = true,
            _ => {}
        }
        format.render(message, text);
    }
}

impl Format {
    /// Appends `message` as this format has it, if it has it at all.
    fn render(self, message: &Message, text: &mut String) {
        match (&message.content, self) {
            (VendorEvent::Done, _) => text.push_str(sse::DONE),
            (VendorEvent::Chunk { text: Some(token), .. }, Format::Tokens) => text.push_str(&token_event(token)),
            (VendorEvent::Chunk { .. } | VendorEvent::Error(_), Format::Tokens) => {}
            (VendorEvent::Chunk { .. } | VendorEvent::Error(_), Format::Chunks) => encode(&message.event, text),
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
