//! Answers whose status is sent before their first token.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{Stream, StreamExt};
use gateway::EarlyKeepAlive;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::StreamBody;
use crate::errors::Failure;
use crate::format::Format;

/// A stream that is still being opened.
pub(crate) type Opening = LocalBoxFuture<'static, Result<StreamBody, Failure>>;

/// The body of an answer whose first token has not come yet: comments until then, so that a balancer on the way does not
/// take it for dead. The status has been sent, so a failure is an error event.
pub(crate) enum EarlyBody {
    Opening(Opening, Interval, Format),
    Streaming(Box<StreamBody>),
    Ended,
}

impl EarlyBody {
    /// A comment is sent now, and at every interval until `opening` is ready.
    pub(crate) fn new(opening: Opening, interval: Duration, format: Format) -> Self {
        let mut comments = interval_at(Instant::now(), interval);
        // A client that did not read for a while needs one comment, not all of them.
        comments.set_missed_tick_behavior(MissedTickBehavior::Delay);
        EarlyBody::Opening(opening, comments, format)
    }
}

impl Stream for EarlyBody {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let body = self.get_mut();
        let text = match body {
            EarlyBody::Ended => return Poll::Ready(None),
            EarlyBody::Streaming(stream) => return stream.poll_next_unpin(cx),
            EarlyBody::Opening(opening, comments, format) => match opening.as_mut().poll(cx) {
                Poll::Ready(Ok(stream)) => {
                    *body = EarlyBody::Streaming(Box::new(stream));
                    return Pin::new(body).poll_next(cx);
                }
                Poll::Ready(Err(failure)) => {
                    let event = format.failure(&failure.body()).into();
                    *body = EarlyBody::Ended;
                    event
                }
                Poll::Pending => {
                    ready!(comments.poll_tick(cx));
                    Bytes::from_static(EarlyKeepAlive::COMMENT.as_bytes())
                }
            },
        };
        Poll::Ready(Some(Ok(text)))
    }
}
