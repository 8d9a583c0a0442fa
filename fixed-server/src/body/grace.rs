//! The end of the shutdown grace, as a stream sees it.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Ready once the shutdown grace is over and every stream has to end.
///
/// A stream polls it with each of its tokens. Once the stream's task is registered, only the flag is
/// checked: polling the future for every token would touch memory that nothing else needs.
pub(super) struct GraceOver {
    token: CancellationToken,
    cancelled: Pin<Box<WaitForCancellationFutureOwned>>,
    /// The task that is woken.
    registered: Option<Waker>,
}

impl GraceOver {
    /// Ready when `token` is cancelled.
    pub(super) fn new(token: CancellationToken) -> Self {
        GraceOver { cancelled: Box::pin(token.clone().cancelled_owned()), token, registered: None }
    }

    /// Ready when the grace is over.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.registered.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) && !self.token.is_cancelled() {
            return Poll::Pending;
        }
        self.registered = Some(cx.waker().clone());
        self.cancelled.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_task_that_polled_last_is_woken() {
        let token = CancellationToken::new();
        let mut grace_over = GraceOver::new(token.clone());
        let mut grace_over = tokio::spawn(async move {
            for _ in 0..2 {
                assert!(timeout(Duration::from_secs(1), poll_fn(|cx| grace_over.poll(cx))).await.is_err());
            }
            grace_over
        })
        .await
        .unwrap();
        let waiting = tokio::spawn(async move { poll_fn(|cx| grace_over.poll(cx)).await });
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!waiting.is_finished());
        token.cancel();
        timeout(Duration::from_secs(1), waiting).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn it_is_ready_when_cancelled_before_the_first_poll() {
        let token = CancellationToken::new();
        let mut grace_over = GraceOver::new(token.clone());
        token.cancel();
        poll_fn(|cx| grace_over.poll(cx)).await;
    }
}
