//! The body of a backend's answer on its way to the client, piece by piece.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::stats::BalancerStats;

/// The body of any answer of the balancer.
pub(super) type AnswerBody = UnsyncBoxBody<Bytes, BrokenOff>;

/// The counts of a balancer that requests add to.
pub(super) type Counts = Arc<Mutex<BalancerStats>>;

/// An answer that ended early. The client's connection is closed with it, so the client sees that too.
#[derive(Debug, thiserror::Error)]
pub(super) enum BrokenOff {
    /// The backend closed its connection.
    #[error("the backend broke off: {0}")]
    Backend(#[from] hyper::Error),
    /// The backend sent nothing for too long.
    #[error("the backend went silent")]
    Silent,
}

/// A backend's body. It holds nothing back, and dropped, because the client has disconnected, it closes the connection
/// to the backend.
pub(super) struct RelayedBody {
    body: Incoming,
    silence: Option<(Duration, Pin<Box<Sleep>>)>,
    end: CountsEnd,
}

/// Counts how an answer ended, unless it ended well.
struct CountsEnd {
    counts: Counts,
    ended: bool,
}

impl RelayedBody {
    pub(super) fn new(body: Incoming, silence_timeout: Option<Duration>, counts: Counts) -> Self {
        let silence = silence_timeout.map(|timeout| (timeout, Box::pin(sleep(timeout))));
        RelayedBody { body, silence, end: CountsEnd { counts, ended: false } }
    }

    fn is_silent(&mut self, cx: &mut Context<'_>) -> bool {
        self.silence.as_mut().is_some_and(|(_, over)| over.as_mut().poll(cx).is_ready())
    }
}

impl Body for RelayedBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            return if self.is_silent(cx) {
                self.end.count(|counts| counts.cut += 1);
                Poll::Ready(Some(Err(BrokenOff::Silent)))
            } else {
                Poll::Pending
            };
        };
        if let Some((timeout, over)) = &mut self.silence {
            over.as_mut().reset(Instant::now() + *timeout);
        }
        match &frame {
            Some(Ok(_)) => {}
            Some(Err(_)) => self.end.count(|counts| counts.broken_off += 1),
            None => self.end.ended = true,
        }
        Poll::Ready(frame.map(|frame| frame.map_err(BrokenOff::Backend)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for RelayedBody {
    fn drop(&mut self) {
        // hyper does not ask for the end of a body whose length it knows.
        if !self.body.is_end_stream() {
            self.end.count(|counts| counts.disconnected += 1);
        }
    }
}

impl CountsEnd {
    fn count(&mut self, add: impl FnOnce(&mut BalancerStats)) {
        if !std::mem::replace(&mut self.ended, true) {
            add(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}
