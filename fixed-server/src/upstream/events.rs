use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body::Body as _;
use reqwest::{Body, Response};
use tokio::time::{Instant, Sleep, sleep};
use wire::sse::{Decoder, EVENT_BYTES_MAX, Event};
use wire::stream::VendorEvent;

use super::failure;
use crate::errors::{Failure, UpstreamFailure};

/// Chunks without text that are held back while the first token is waited for. A vendor sends one
/// that only says who speaks, some one more before it; beyond that it generates something other than
/// text (a tool's arguments), which is to flow as well.
const HELD_CHUNKS_MAX: usize = 3;

/// One event of the vendor's stream: as it came, to pass on, and read, to look at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    pub(crate) event: Event,
    pub(crate) content: VendorEvent,
}

/// The vendor's stream. It is a state machine that whoever holds it polls: it has no task, no thread
/// and no channel, so a stream that waits costs this struct, and one that is dropped is over.
pub(crate) struct EventStream {
    body: Body,
    decoder: Decoder,
    /// Read, but not taken yet: never more than one piece of the body had in it.
    arrived: VecDeque<Result<Message, Failure>>,
    idle_timeout: Duration,
    quiet_since: Instant,
    /// Fires at the earliest time at which the stream can have been quiet for too long.
    timer: Pin<Box<Sleep>>,
    /// `[DONE]` has come. What follows is read, so that the connection can be used again, and ignored.
    done: bool,
    ended: bool,
}

impl EventStream {
    pub(super) fn new(response: Response, idle_timeout: Duration) -> Self {
        EventStream {
            body: response.into(),
            decoder: Decoder::new(EVENT_BYTES_MAX),
            arrived: VecDeque::new(),
            idle_timeout,
            quiet_since: Instant::now(),
            timer: Box::pin(sleep(idle_timeout)),
            done: false,
            ended: false,
        }
    }

    /// Waits until a token is there to be taken. How long that may take is the caller's to say.
    ///
    /// # Errors
    /// What came in its place: it can still be told by a status.
    pub(super) async fn wait_for_token(&mut self) -> Result<(), Failure> {
        let mut seen = 0;
        loop {
            for message in self.arrived.iter().skip(seen).flatten() {
                seen += 1;
                let speaks_only = matches!(
                    message.content,
                    VendorEvent::Chunk { text: None, finish_reason: None, usage: None } if seen < HELD_CHUNKS_MAX
                );
                if !speaks_only {
                    self.quiet_since = Instant::now();
                    return Ok(());
                }
            }
            if let Some(failed) = self.arrived.iter().position(Result::is_err)
                && let Some(Err(failure)) = self.arrived.remove(failed)
            {
                return Err(failure);
            }
            poll_fn(|cx| self.poll_read(cx)).await;
        }
    }

    // ANCHOR: pool-exhaustion
    // ANCHOR: pool-per-chunk
    // ANCHOR: blocked-executor
    // FIX pool-exhaustion: a stream that waits is a value in memory; `Pending` gives the thread back.
    // FIX pool-per-chunk: no thread is asked for, not even for the time of one chunk.
    // FIX blocked-executor: nothing here blocks; the executor runs whatever is ready meanwhile.
    /// The next message, or the failure that ended the stream, or its end.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Failure>>> {
        loop {
            if let Some(message) = self.arrived.pop_front() {
                return Poll::Ready(Some(message));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            match self.poll_read(cx) {
                Poll::Ready(()) => {}
                Poll::Pending => {
                    ready!(self.poll_too_quiet(cx));
                    self.fail(UpstreamFailure::IdleTimeout.into());
                }
            }
        }
    }
    // ANCHOR_END: blocked-executor
    // ANCHOR_END: pool-per-chunk
    // ANCHOR_END: pool-exhaustion

    /// The next message of those that came together with the last.
    pub(crate) fn take_arrived(&mut self) -> Option<Result<Message, Failure>> {
        self.arrived.pop_front()
    }

    /// Reads one piece of the body.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Ok(frame)) => {
                if let Ok(piece) = frame.into_data() {
                    self.quiet_since = Instant::now();
                    self.feed(&piece);
                }
            }
            Some(Err(error)) => self.fail(failure(error)),
            None => self.fail(UpstreamFailure::Truncated.into()),
        }
        Poll::Ready(())
    }

    /// Ready when the stream has been quiet for too long. The timer is not set anew for each piece,
    /// which would cost more than the piece; when it fires, it is set to where it should stand.
    fn poll_too_quiet(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let due = self.quiet_since + self.idle_timeout;
            if due <= Instant::now() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(due);
        }
    }

    fn feed(&mut self, piece: &[u8]) {
        if self.done {
            return;
        }
        let mut events = Vec::new();
        let decoded = self.decoder.decode(piece, &mut events);
        for event in events {
            self.arrive(event);
        }
        if let Err(error) = decoded {
            self.fail(UpstreamFailure::Malformed(error.to_string()).into());
        }
    }

    fn arrive(&mut self, event: Event) {
        if self.done || self.ended {
            return;
        }
        match VendorEvent::read(&event) {
            Ok(VendorEvent::Error(detail)) => self.fail(UpstreamFailure::Reported(detail).into()),
            Ok(content) => {
                self.done = content == VendorEvent::Done;
                self.arrived.push_back(Ok(Message { event, content }));
            }
            Err(error) => self.fail(UpstreamFailure::Malformed(error.to_string()).into()),
        }
    }

    /// Ends the stream; before `[DONE]`, with this failure.
    fn fail(&mut self, failure: Failure) {
        if !self.done && !self.ended {
            self.arrived.push_back(Err(failure));
        }
        self.ended = true;
    }
}
