//! The end that comes from outside.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// The moment at which every stream is to end.
///
/// A stream asks for it with each of its tokens. Whom it is to wake it knows from the first time, so from
/// then on the flag alone is looked at: to poll the future for every token costs each a look into memory
/// that nothing else needs.
pub(super) struct Cut {
    token: CancellationToken,
    cancelled: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Whom it wakes.
    told: Option<Waker>,
}

impl Cut {
    /// The moment at which `token` is cancelled.
    pub(super) fn new(token: CancellationToken) -> Self {
        Cut { cancelled: Box::pin(token.clone().cancelled_owned()), token, told: None }
    }

    /// Ready when it has come.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.told.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) && !self.token.is_cancelled() {
            return Poll::Pending;
        }
        self.told = Some(cx.waker().clone());
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
    async fn the_task_that_asked_last_is_woken() {
        let token = CancellationToken::new();
        let mut cut = Cut::new(token.clone());
        let mut cut = tokio::spawn(async move {
            for _ in 0..2 {
                assert!(timeout(Duration::from_secs(1), poll_fn(|cx| cut.poll(cx))).await.is_err());
            }
            cut
        })
        .await
        .unwrap();
        let waiting = tokio::spawn(async move { poll_fn(|cx| cut.poll(cx)).await });
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!waiting.is_finished());
        token.cancel();
        timeout(Duration::from_secs(1), waiting).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn it_has_come_when_it_came_before_anybody_asked() {
        let token = CancellationToken::new();
        let mut cut = Cut::new(token.clone());
        token.cancel();
        poll_fn(|cx| cut.poll(cx)).await;
    }
}
