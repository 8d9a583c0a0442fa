//! An answer whose status is sent before its first token.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use gateway::EarlyKeepAlive;
use http_body::{Body, Frame};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::StreamBody;
use super::format::failed;
use crate::errors::Failure;

/// A stream that is still being opened.
pub(crate) type Opening = Pin<Box<dyn Future<Output = Result<StreamBody, Failure>> + Send>>;

/// A streamed answer whose status is sent before its first token, so that proxies on the way do not time out.
/// Attempts are still repeated behind it: no token has been sent yet. But the status is 200, so a failure
/// is an error event.
pub(crate) struct EarlyBody {
    state: State,
}

enum State {
    /// Comments are sent, the first at once.
    Opening(Opening, Interval),
    Streaming(Box<StreamBody>),
    Ended,
}

impl EarlyBody {
    /// The body of a stream that has not begun yet: a comment is sent now, and at every interval.
    pub(crate) fn new(opening: Opening, keep_alive_interval: Duration) -> Self {
        let mut comments = interval_at(Instant::now(), keep_alive_interval);
        // A client that did not read for a while needs one comment, not all of them.
        comments.set_missed_tick_behavior(MissedTickBehavior::Delay);
        EarlyBody { state: State::Opening(opening, comments) }
    }
}

impl Body for EarlyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let State::Opening(opening, comments) = &mut self.state else {
            return match &mut self.state {
                State::Streaming(body) => Pin::new(&mut **body).poll_frame(cx),
                _ => Poll::Ready(None),
            };
        };
        match opening.as_mut().poll(cx) {
            Poll::Ready(Ok(body)) => {
                self.state = State::Streaming(Box::new(body));
                self.poll_frame(cx)
            }
            Poll::Ready(Err(failure)) => {
                self.state = State::Ended;
                Poll::Ready(Some(Ok(Frame::data(failed(&failure)))))
            }
            Poll::Pending => {
                // ANCHOR: silent-stream
                // FIX silent-stream: a comment, before the balancer could take the silence for the end.
                ready!(comments.poll_tick(cx));
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(EarlyKeepAlive::COMMENT.as_bytes())))))
                // ANCHOR_END: silent-stream
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Opening(..) => false,
            State::Streaming(body) => body.is_end_stream(),
            State::Ended => true,
        }
    }
}
