//! How long a stream may be silent, and how long it may take in all.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use resilience::extra_wait;
use tokio::time::{Instant, Sleep, sleep};

use crate::errors::UpstreamFailure;
use crate::settings::Limits;

/// The idle timeout and the total timeout of one stream.
pub(super) struct StreamTimeouts {
    idle_timeout: Duration,
    quiet_since: Instant,
    ends_at: Instant,
    /// Fires at the earliest time at which either timeout can have passed.
    timer: Pin<Box<Sleep>>,
    /// The timer has fired once in this silence, and what may have arrived gets a last chance.
    extended: bool,
    /// The task that the timer wakes, and when.
    registered: Option<(Waker, Instant)>,
}

impl StreamTimeouts {
    /// Those of a stream that begins now.
    pub(super) fn new(limits: &Limits) -> Self {
        let now = Instant::now();
        StreamTimeouts {
            idle_timeout: limits.upstream.idle_timeout,
            quiet_since: now,
            ends_at: now + limits.total_timeout,
            timer: Box::pin(sleep(limits.upstream.idle_timeout.min(limits.total_timeout))),
            extended: false,
            registered: None,
        }
    }

    /// Restarts the idle timeout: bytes have arrived.
    pub(super) fn restart(&mut self) {
        self.quiet_since = Instant::now();
        self.extended = false;
    }

    /// Whether the total timeout had passed when the last bytes arrived.
    pub(super) fn has_ended(&self) -> bool {
        self.quiet_since >= self.ends_at
    }

    /// Ready when either timeout has passed.
    ///
    /// This is called after each piece, thousands of times a second, and each call would wait for the
    /// timer's memory. So the timer is not reset for each piece, but only when it fires, to the time that is
    /// then correct; and it is not polled while that would only register the same task again.
    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<UpstreamFailure> {
        loop {
            let now = Instant::now();
            if self.registered.as_ref().is_some_and(|(waker, due)| now < *due && waker.will_wake(cx.waker())) {
                return Poll::Pending;
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                self.registered = Some((cx.waker().clone(), self.timer.deadline()));
                return Poll::Pending;
            }
            let quiet_until = self.quiet_since + self.idle_timeout;
            if now >= self.ends_at {
                return Poll::Ready(UpstreamFailure::TotalTimeout);
            }
            if now >= quiet_until && self.extended {
                return Poll::Ready(UpstreamFailure::IdleTimeout);
            }
            // What arrived while this process was suspended may be in the socket, not read yet.
            self.extended = now >= quiet_until;
            let next = if self.extended { now + extra_wait(quiet_until, self.idle_timeout) } else { quiet_until };
            self.registered = None;
            self.timer.as_mut().reset(next.min(self.ends_at));
        }
    }

    /// Replaces both timeouts by one that begins now and is not restarted: see
    /// [`StreamTimeouts::poll_end`].
    pub(super) fn end_after(&mut self, time: Duration) {
        self.timer.as_mut().reset(Instant::now() + time);
    }

    /// Ready when that one has passed.
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

    fn timeouts() -> StreamTimeouts {
        let limits = Settings::parse_from(["fixed-server"]).limits;
        StreamTimeouts::new(&Limits {
            upstream: UpstreamLimits { idle_timeout: IDLE, ..limits.upstream },
            total_timeout: TOTAL,
            ..limits
        })
    }

    async fn over(timeouts: &mut StreamTimeouts) -> UpstreamFailure {
        poll_fn(|cx| timeouts.poll_over(cx)).await
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_restart_the_idle_timeout() {
        let (mut timeouts, begun) = (timeouts(), Instant::now());
        for _ in 0..3 {
            assert!(timeout(IDLE - Duration::from_secs(1), over(&mut timeouts)).await.is_err());
            timeouts.restart();
        }
        assert!(matches!(over(&mut timeouts).await, UpstreamFailure::IdleTimeout));
        assert_eq!(begun.elapsed(), 3 * (IDLE - Duration::from_secs(1)) + IDLE + RECHECK_TIME);
    }

    #[tokio::test(start_paused = true)]
    async fn the_total_timeout_is_not_restarted() {
        let (mut timeouts, begun) = (timeouts(), Instant::now());
        let over = loop {
            match timeout(Duration::from_secs(1), over(&mut timeouts)).await {
                Ok(over) => break over,
                Err(_) => timeouts.restart(),
            }
        };
        assert!(matches!(over, UpstreamFailure::TotalTimeout));
        assert_eq!(begun.elapsed(), TOTAL);
    }

    #[tokio::test(start_paused = true)]
    async fn the_task_that_polled_last_is_woken() {
        let (mut timeouts, begun) = (timeouts(), Instant::now());
        let mut timeouts = tokio::spawn(async move {
            assert!(timeout(IDLE / 2, over(&mut timeouts)).await.is_err());
            timeouts
        })
        .await
        .unwrap();
        let over = tokio::spawn(async move { over(&mut timeouts).await });
        assert!(matches!(timeout(2 * IDLE, over).await.unwrap().unwrap(), UpstreamFailure::IdleTimeout));
        assert_eq!(begun.elapsed(), IDLE + RECHECK_TIME);
    }

    #[tokio::test(start_paused = true)]
    async fn a_suspended_process_reads_once_more_before_it_times_out() {
        let mut timeouts = timeouts();
        assert!(timeout(IDLE / 2, over(&mut timeouts)).await.is_err());
        tokio::time::advance(2 * IDLE).await;
        let woken = Instant::now();
        assert!(timeout(IDLE / 2, over(&mut timeouts)).await.is_err(), "the vendor may have been suspended as well");
        assert!(matches!(over(&mut timeouts).await, UpstreamFailure::IdleTimeout));
        assert_eq!(woken.elapsed(), IDLE);
    }
}
