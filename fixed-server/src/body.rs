//! A streamed answer, and what it holds while it runs.

mod early;
mod format;
mod grace;
mod open_stream;

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};
use resilience::OutcomeGuard;
use tokio_util::sync::CancellationToken;
use wire::stream::CompletionEvent;

use crate::errors::Failure;
use crate::outcome::Outcome;
use crate::stack::{InFlight, Opened};
use crate::upstream::{Batch, EventStream, Streamed};
use format::failed;
use grace::GraceOver;

pub(crate) use early::EarlyBody;
pub(crate) use format::Format;
pub(crate) use open_stream::OpenStream;

/// A streamed answer. The connection polls it, and it polls the vendor: a client that reads slowly
/// slows the vendor down, and between the two there is no buffer that could grow.
///
/// It owns what the stream holds. Whatever ends it (the last token, a failure, or a disconnect, at which the
/// connection drops it) gives the permit back, ends the vendor's call and records the outcome, in this one
/// place.
pub(crate) struct StreamBody {
    /// None once the stream has ended.
    running: Option<Running>,
    format: Format,
    rate_limits: Vec<(String, String)>,
    grace_over: GraceOver,
}

// ANCHOR: orphaned-streams
/// Dropped from the first field to the last: the vendor's call ends before its permit is given back.
struct Running {
    // FIX orphaned-streams: the vendor's call is in here. When the client disconnects, the connection drops this,
    // and with it the call, even while the vendor is silent; no thread is left that could continue it.
    events: EventStream,
    /// The first token and what came with it, until it is passed on.
    head: Option<Batch>,
    open: OpenStream,
    /// None after `[DONE]`, when only the end of the vendor's body is awaited.
    outcome: Option<OutcomeGuard<Outcome>>,
    in_flight: InFlight,
}
// ANCHOR_END: orphaned-streams

impl StreamBody {
    /// The body of a stream whose first token has arrived. When `grace_over` is cancelled, it ends with an
    /// error event.
    pub(crate) fn new(
        opened: Opened,
        outcome: OutcomeGuard<Outcome>,
        open: OpenStream,
        format: Format,
        grace_over: CancellationToken,
    ) -> Self {
        let Opened { stream, in_flight } = opened;
        let Streamed { events, head, rate_limits } = *stream;
        let running = Running { events, head: Some(head), open, outcome: Some(outcome), in_flight };
        StreamBody { running: Some(running), format, rate_limits, grace_over: GraceOver::new(grace_over) }
    }

    /// What the vendor says of its quota, for the head of the answer.
    pub(crate) fn take_rate_limits(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.rate_limits)
    }
}

impl Body for StreamBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        let format = this.format;
        loop {
            let Some(running) = &mut this.running else { return Poll::Ready(None) };
            let bytes = if running.outcome.is_none() {
                ready!(running.events.poll_end(cx));
                this.running = None;
                continue;
            } else if let Some(head) = running.head.take() {
                running.pass_on(head, format)
            } else if this.grace_over.poll(cx).is_ready() {
                // Checked before the vendor is read, so that a stream that never pauses ends as well.
                this.fail(&Failure::ShuttingDown)
            } else {
                match ready!(running.events.poll_next(cx)) {
                    Ok(batch) => running.pass_on(batch, format),
                    Err(failure) => this.fail(&failure),
                }
            };
            if !bytes.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
    }

    /// Lets the connection put the end of the body into the same write as the last event.
    fn is_end_stream(&self) -> bool {
        self.running.is_none()
    }
}

impl StreamBody {
    /// Ends the stream, and releases what it holds before the client is sent the error event.
    fn fail(&mut self, failure: &Failure) -> Bytes {
        if let Some(running) = self.running.take() {
            running.open.failed(failure);
            if let Some(outcome) = running.outcome {
                outcome.record(failure.stream_outcome());
            }
        }
        failed(failure)
    }
}

impl Running {
    /// Counts `batch`, and returns what the client receives of it.
    fn pass_on(&mut self, batch: Batch, format: Format) -> Bytes {
        for event in &batch.events {
            match event {
                CompletionEvent::Chunk(chunk) => {
                    if chunk.text.is_some() {
                        self.open.token();
                        self.in_flight.call.token();
                    }
                    if let Some(usage) = chunk.usage {
                        self.in_flight.call.usage(usage);
                    }
                }
                CompletionEvent::Done => {
                    if let Some(outcome) = self.outcome.take() {
                        outcome.record(Outcome::Success);
                    }
                    self.events.done();
                }
                CompletionEvent::Other | CompletionEvent::Error(_) => {}
            }
        }
        format.render(batch)
    }
}
