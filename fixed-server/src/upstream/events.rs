//! The vendor's stream, read event by event.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::Body as _;
use reqwest::Body;
use wire::sse::{Decoder, Part};
use wire::stream::{CompletionEvent, EndOfBody, Progress};

use super::batch::Batch;
use super::beginning::Beginning;
use super::timeouts::StreamTimeouts;
use crate::body::Format;
use crate::errors::{Failure, UpstreamFailure};
use crate::settings::Limits;

/// How long the vendor may take from `[DONE]` to the end of its body. The client has everything by then;
/// a body that was read to its end leaves a connection that can be used again.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// The vendor's stream: a state machine that its owner polls. It has no thread, and no task but the one that
/// reqwest has for the connection, which ends when this is dropped.
pub(crate) struct EventStream {
    body: Body,
    decoder: Decoder,
    progress: Progress,
    /// What ended the stream, while events that came before it are still to be passed on.
    failed: Option<Failure>,
    timeouts: StreamTimeouts,
}

impl EventStream {
    pub(super) fn new(body: Body, limits: &Limits) -> Self {
        let decoder = Decoder::new(limits.upstream.max_event_bytes.get());
        let progress = Progress::default();
        EventStream { body, decoder, progress, failed: None, timeouts: StreamTimeouts::new(limits) }
    }

    /// Waits until the stream has begun, and returns what has arrived for a client with this format. The
    /// caller limits the wait.
    ///
    /// # Errors
    /// The failure that came instead: the client can still get it as a status.
    pub(super) async fn first_token(&mut self, format: Format) -> Result<Beginning, Failure> {
        let mut beginning = Beginning::new(format);
        while !beginning.has_begun() {
            beginning.add(poll_fn(|cx| self.poll_read(cx)).await?);
        }
        Ok(beginning)
    }

    // ANCHOR: waiting-stream
    // FIX pool-exhaustion, pool-per-chunk, blocked-executor, more-threads: a stream that waits is a value in memory.
    // `Pending` gives the thread back, so no stream and no chunk needs one of its own.
    /// The next batch, or the failure that ended the stream: a silent vendor is one.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Batch, Failure>> {
        match self.poll_read(cx) {
            // Checked after a read too, so that a stream that never pauses ends as well.
            Poll::Ready(Ok(_)) if self.timeouts.has_ended() => Poll::Ready(Err(UpstreamFailure::TotalTimeout.into())),
            Poll::Ready(read) => Poll::Ready(read),
            Poll::Pending => Poll::Ready(Err(ready!(self.timeouts.poll_over(cx)).into())),
        }
    }
    // ANCHOR_END: waiting-stream

    /// Begins the wait of [`EventStream::poll_end`].
    pub(crate) fn done(&mut self) {
        self.timeouts.end_after(END_TIMEOUT);
    }

    /// Ready when the vendor's body has ended, or after [`END_TIMEOUT`]. What still arrives is discarded.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Poll::Ready(read) = Pin::new(&mut self.body).poll_frame(cx) {
            if !matches!(read, Some(Ok(_))) {
                return Poll::Ready(());
            }
        }
        self.timeouts.poll_end(cx)
    }

    /// Reads until something is complete: events, or a comment, which a vendor sends to keep the connection
    /// alive while it thinks.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Batch, Failure>> {
        loop {
            if let Some(failure) = self.failed.take() {
                return Poll::Ready(Err(failure));
            }
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    let Ok(piece) = frame.into_data() else { continue };
                    // A large event takes a while: only if no byte arrives is the vendor silent.
                    self.timeouts.restart();
                    let batch = self.decode(&piece);
                    if !batch.raw.is_empty() {
                        return Poll::Ready(Ok(batch));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Err(UpstreamFailure::from(error).into())),
                None => return Poll::Ready(self.end()),
            }
        }
    }

    /// What `piece` completes, up to `[DONE]` or to the first event that cannot be passed on.
    fn decode(&mut self, piece: &Bytes) -> Batch {
        let carries_on = self.decoder.holds_bytes();
        let (mut events, mut joined) = (Vec::new(), Vec::new());
        let (mut rest, mut passed) = (&piece[..], 0);
        loop {
            let part = match self.decoder.next_part(&mut rest) {
                Ok(Some(part)) => part,
                Ok(None) => break,
                Err(error) => {
                    self.failed = Some(UpstreamFailure::from(error).into());
                    break;
                }
            };
            match read(&part) {
                Ok(event) => events.extend(event),
                Err(failure) => {
                    self.failed = Some(failure.into());
                    break;
                }
            }
            if part.event.is_none() {
                self.progress.note_lines(part.raw);
            }
            if carries_on {
                joined.extend_from_slice(part.raw);
            }
            passed = piece.len() - rest.len();
            if events.last() == Some(&CompletionEvent::Done) {
                // What follows is discarded.
                break;
            }
        }
        events.iter().for_each(|event| self.progress.note(event));
        let raw = if carries_on { joined.into() } else { piece.slice(..passed) };
        Batch { events, raw }
    }

    /// The last batch, after a regular end of the body.
    fn end(&mut self) -> Result<Batch, Failure> {
        let EndOfBody { events, raw, fault } = self.progress.end(&mut self.decoder);
        let fault = fault.map(|fault| Failure::from(UpstreamFailure::from(fault)));
        if raw.is_empty()
            && let Some(fault) = fault
        {
            return Err(fault);
        }
        self.failed = fault;
        Ok(Batch { events, raw: raw.into() })
    }
}

/// The event of `part`, if it has one, or the failure that it reports.
fn read(part: &Part<'_>) -> Result<Option<CompletionEvent>, UpstreamFailure> {
    match part.event.as_ref().map(CompletionEvent::read).transpose() {
        Ok(Some(CompletionEvent::Error(failure))) => Err(UpstreamFailure::Reported(failure)),
        Ok(event) => Ok(event),
        Err(error) => Err(UpstreamFailure::Malformed(error.to_string())),
    }
}
