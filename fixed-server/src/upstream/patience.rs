//! How long a stream may be silent.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use resilience::extra_wait;
use tokio::time::{Instant, Sleep, sleep};

use crate::errors::UpstreamFailure;
use crate::settings::Limits;

/// How long a stream may be silent, and how long it may last.
pub(super) struct Patience {
    idle_timeout: Duration,
    quiet_since: Instant,
    ends_at: Instant,
    /// Fires at the earliest time at which the stream can have been quiet for too long, or is to end.
    timer: Pin<Box<Sleep>>,
    /// The timer has fired in this silence already, and what comes is given a last moment.
    extended: bool,
    /// Whom the timer wakes, and when.
    told: Option<(Waker, Instant)>,
}

impl Patience {
    /// That with a stream which begins now.
    pub(super) fn new(limits: &Limits) -> Self {
        let now = Instant::now();
        Patience {
            idle_timeout: limits.upstream.idle_timeout,
            quiet_since: now,
            ends_at: now + limits.total_timeout,
            timer: Box::pin(sleep(limits.upstream.idle_timeout.min(limits.total_timeout))),
            extended: false,
            told: None,
        }
    }

    /// The stream has said something.
    pub(super) fn heard(&mut self) {
        self.quiet_since = Instant::now();
        self.extended = false;
    }

    /// Whether the stream had lasted too long when it was heard last.
    pub(super) fn has_ended(&self) -> bool {
        self.quiet_since >= self.ends_at
    }

    /// Ready when the stream has been quiet for too long, or has taken too long.
    ///
    /// It is asked after each piece, of which thousands come in a second, and each of them would wait for
    /// the timer's memory. So the timer is not set anew for each, but when it fires, to where it should
    /// stand then; and it is not polled while it would only promise once more to wake the same task.
    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<UpstreamFailure> {
        loop {
            let now = Instant::now();
            if self.told.as_ref().is_some_and(|(waker, due)| now < *due && waker.will_wake(cx.waker())) {
                return Poll::Pending;
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                self.told = Some((cx.waker().clone(), self.timer.deadline()));
                return Poll::Pending;
            }
            let quiet_until = self.quiet_since + self.idle_timeout;
            if now >= self.ends_at {
                return Poll::Ready(UpstreamFailure::TotalTimeout);
            }
            if now >= quiet_until && self.extended {
                return Poll::Ready(UpstreamFailure::IdleTimeout);
            }
            // What came while this process stood still may be in the socket, and not seen yet.
            self.extended = now >= quiet_until;
            let next = if self.extended { now + extra_wait(quiet_until, self.idle_timeout) } else { quiet_until };
            self.told = None;
            self.timer.as_mut().reset(next.min(self.ends_at));
        }
    }

    /// From now on it ends after `time`, whatever is heard: see [`Patience::poll_end`].
    pub(super) fn end_after(&mut self, time: Duration) {
        self.timer.as_mut().reset(Instant::now() + time);
    }

    /// Ready when that time is over.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.timer.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use gateway::UpstreamLimits;
    use std::future::poll_fn;

    use clap::Parser as _;
    use resilience::RECHECK_TIME;
    use tokio::time::timeout;

    use super::*;
    use crate::settings::Settings;

    const IDLE: Duration = Duration::from_secs(10);
    const TOTAL: Duration = Duration::from_secs(60);

    fn patience() -> Patience {
        let limits = Settings::parse_from(["fixed-server"]).limits;
        Patience::new(&Limits {
            upstream: UpstreamLimits { idle_timeout: IDLE, ..limits.upstream },
            total_timeout: TOTAL,
            ..limits
        })
    }

    async fn over(patience: &mut Patience) -> UpstreamFailure {
        poll_fn(|cx| patience.poll_over(cx)).await
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_a_stream_and_each_word_begins_it_anew() {
        let (mut patience, begun) = (patience(), Instant::now());
        for _ in 0..3 {
            assert!(timeout(IDLE - Duration::from_secs(1), over(&mut patience)).await.is_err());
            patience.heard();
        }
        assert!(matches!(over(&mut patience).await, UpstreamFailure::IdleTimeout));
        assert_eq!(begun.elapsed(), 3 * (IDLE - Duration::from_secs(1)) + IDLE + RECHECK_TIME);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_goes_on_talking_ends_nevertheless() {
        let (mut patience, begun) = (patience(), Instant::now());
        let over = loop {
            match timeout(Duration::from_secs(1), over(&mut patience)).await {
                Ok(over) => break over,
                Err(_) => patience.heard(),
            }
        };
        assert!(matches!(over, UpstreamFailure::TotalTimeout));
        assert_eq!(begun.elapsed(), TOTAL);
    }

    #[tokio::test(start_paused = true)]
    async fn the_task_that_asked_last_is_woken() {
        let (mut patience, begun) = (patience(), Instant::now());
        let mut patience = tokio::spawn(async move {
            assert!(timeout(IDLE / 2, over(&mut patience)).await.is_err());
            patience
        })
        .await
        .unwrap();
        let over = tokio::spawn(async move { over(&mut patience).await });
        assert!(matches!(timeout(2 * IDLE, over).await.unwrap().unwrap(), UpstreamFailure::IdleTimeout));
        assert_eq!(begun.elapsed(), IDLE + RECHECK_TIME);
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_was_stopped_listens_once_more_before_it_gives_up() {
        let mut patience = patience();
        assert!(timeout(IDLE / 2, over(&mut patience)).await.is_err());
        tokio::time::advance(2 * IDLE).await;
        let woken = Instant::now();
        assert!(timeout(IDLE / 2, over(&mut patience)).await.is_err(), "the vendor may have stood still as well");
        assert!(matches!(over(&mut patience).await, UpstreamFailure::IdleTimeout));
        assert_eq!(woken.elapsed(), IDLE);
    }
}
