use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::Body as _;
use wire::sse::{Decoder, EVENT_BYTES_MAX, Event};
use wire::stream::VendorEvent;

use super::answer::Body;
use super::patience::Patience;
use crate::errors::{Failure, UpstreamFailure};
use crate::settings::Limits;

/// Chunks without text that are held back while the first token is waited for. A vendor sends one
/// that only says who speaks, some one more before it; beyond that it generates something other than
/// text (a tool's arguments), which is to flow as well.
const HELD_CHUNKS_MAX: usize = 3;

/// How long the vendor may take from `[DONE]` to the end of its answer. Its client has all there is
/// by then; an answer that was read to its end leaves a connection that can be used again.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// One event of the vendor's stream: as it came, to pass on, and read, to look at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    pub(crate) event: Event,
    pub(crate) content: VendorEvent,
}

/// What one read of the vendor's stream completed. It came together and goes out together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) messages: Vec<Message>,
    /// The bytes as they came, where they are these messages, whole, and nothing else.
    pub(crate) verbatim: Option<Bytes>,
}

/// The vendor's stream. It is a state machine that whoever holds it polls: it has no task, no thread
/// and no channel, so a stream that waits costs this struct, and one that is dropped is over.
pub(crate) struct EventStream {
    body: Body,
    decoder: Decoder,
    /// What ended the stream, when events that came before it had to be told first.
    failed: Option<Failure>,
    patience: Patience,
}

impl EventStream {
    pub(super) fn new(body: Body, limits: &Limits) -> Self {
        let decoder = Decoder::new(EVENT_BYTES_MAX);
        EventStream { body, decoder, failed: None, patience: Patience::new(limits) }
    }

    /// Waits for the first token, and returns it with what was held back before it. How long that may
    /// take is the caller's to say.
    ///
    /// # Errors
    /// What came in its place: it can still be told by a status.
    pub(super) async fn first_token(&mut self) -> Result<Vec<Batch>, Failure> {
        let mut held = Vec::new();
        let mut textless = 0;
        loop {
            let batch = poll_fn(|cx| self.poll_read(cx)).await?;
            let mut begun = false;
            for message in &batch.messages {
                textless += 1;
                begun |= message.content.begins() || textless >= HELD_CHUNKS_MAX;
            }
            held.push(batch);
            if begun {
                return Ok(held);
            }
        }
    }

    // ANCHOR: pool-exhaustion
    // ANCHOR: pool-per-chunk
    // ANCHOR: blocked-executor
    // ANCHOR: more-threads
    // FIX pool-exhaustion: a stream that waits is a value in memory; `Pending` gives the thread back.
    // FIX pool-per-chunk: no thread is asked for, not even for the time of one chunk.
    // FIX more-threads: what needs no thread needs no larger number of them.
    // FIX blocked-executor: nothing here blocks; the executor runs whatever is ready meanwhile.
    /// What came next, or the failure that ended the stream: silence for too long is one.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Batch, Failure>> {
        match self.poll_read(cx) {
            // Asked of the last read, so that a stream that never pauses ends as well.
            Poll::Ready(Ok(_)) if self.patience.has_ended() => Poll::Ready(Err(UpstreamFailure::TotalTimeout.into())),
            Poll::Ready(read) => Poll::Ready(read),
            Poll::Pending => Poll::Ready(Err(ready!(self.patience.poll_over(cx)).into())),
        }
    }
    // ANCHOR_END: more-threads
    // ANCHOR_END: blocked-executor
    // ANCHOR_END: pool-per-chunk
    // ANCHOR_END: pool-exhaustion

    /// Begins the wait of [`EventStream::poll_end`].
    pub(crate) fn done(&mut self) {
        self.patience.end_after(END_TIMEOUT);
    }

    /// Ready when the vendor's answer has ended, or when that is not worth waiting for any more.
    /// Whatever it still says does not count.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Poll::Ready(read) = Pin::new(&mut self.body).poll_frame(cx) {
            if !matches!(read, Some(Ok(_))) {
                return Poll::Ready(());
            }
        }
        self.patience.poll_end(cx)
    }

    /// Reads until something is complete: events, or a comment, by which a vendor that thinks says
    /// that it is still there.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Batch, Failure>> {
        loop {
            if let Some(failure) = self.failed.take() {
                return Poll::Ready(Err(failure));
            }
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    let Ok(piece) = frame.into_data() else { continue };
                    let batch = self.decode(piece);
                    if !batch.messages.is_empty() || batch.verbatim.is_some() {
                        self.patience.heard();
                        return Poll::Ready(Ok(batch));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Err(error.into())),
                None => return Poll::Ready(Err(UpstreamFailure::Truncated.into())),
            }
        }
    }

    /// The events that `piece` completes, up to `[DONE]` or to what cannot be read.
    fn decode(&mut self, piece: Bytes) -> Batch {
        let begins_inside = self.decoder.mid_event();
        let mut events = Vec::with_capacity(1);
        if let Err(error) = self.decoder.decode(&piece, &mut events) {
            self.failed = Some(UpstreamFailure::Malformed(error.to_string()).into());
        }
        let mut messages = Vec::with_capacity(events.len());
        for event in events {
            match VendorEvent::read(&event) {
                Ok(VendorEvent::Error(detail)) => self.failed = Some(UpstreamFailure::Reported(detail).into()),
                Ok(content) => {
                    let done = content == VendorEvent::Done;
                    messages.push(Message { event, content });
                    if !done {
                        continue;
                    }
                }
                Err(error) => self.failed = Some(UpstreamFailure::Malformed(error.to_string()).into()),
            }
            // Nothing counts that comes after this event.
            return Batch { messages, verbatim: None };
        }
        let whole = !begins_inside && !self.decoder.mid_event() && self.failed.is_none();
        Batch { messages, verbatim: whole.then_some(piece) }
    }
}
