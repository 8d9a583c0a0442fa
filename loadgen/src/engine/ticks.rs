//! Calls back four times a second while a run waits.

use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::time::sleep;

/// Ticks in a second.
const PER_SECOND: u32 = 4;
/// From one tick to the next.
const INTERVAL: Duration = Duration::from_millis(1000 / PER_SECOND as u64);

/// The ticks of a run.
#[derive(Debug)]
pub struct Ticks {
    origin: Instant,
    passed: u32,
}

/// A tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick(u32);

impl Tick {
    /// When it was due, since the start of the run.
    #[must_use]
    pub fn at(self) -> Duration {
        INTERVAL * self.0
    }

    /// The time since the start of the run if it is a whole number of seconds.
    #[must_use]
    pub fn second(self) -> Option<Duration> {
        self.0.is_multiple_of(PER_SECOND).then(|| self.at())
    }
}

impl Ticks {
    /// The ticks since `origin`, the start of the run.
    #[must_use]
    pub fn since(origin: Instant) -> Self {
        Ticks { origin, passed: 0 }
    }

    /// Waits for `duration` and calls `report` for every tick since the start of the run.
    ///
    /// # Errors
    /// The first error of `report`, which ends the wait.
    pub async fn wait<E>(
        &mut self,
        duration: Duration,
        mut report: impl FnMut(Tick) -> Result<(), E>,
    ) -> Result<(), E> {
        let end = self.origin.elapsed() + duration;
        loop {
            let next = Tick(self.passed + 1);
            sleep(next.at().min(end).saturating_sub(self.origin.elapsed())).await;
            if next.at() > end {
                return Ok(());
            }
            self.passed = next.0;
            report(next)?;
        }
    }

    /// Waits for `done` and calls `report` for every tick meanwhile.
    pub async fn during<T>(&mut self, done: impl Future<Output = T>, mut report: impl FnMut(Tick)) -> T {
        let mut done = pin!(done);
        loop {
            let next = Tick(self.passed + 1);
            tokio::select! {
                biased;
                value = &mut done => return value,
                () = sleep(next.at().saturating_sub(self.origin.elapsed())) => {
                    self.passed = next.0;
                    report(next);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[tokio::test]
    async fn a_second_between_two_waits_is_reported_too() {
        // As if the run had begun 2.9 s ago and the first wait had ended after 0.9 s.
        let Some(origin) = Instant::now().checked_sub(Duration::from_millis(2900)) else { return };
        let mut ticks = Ticks::since(origin);
        let mut reported = Vec::new();
        for wait in [Duration::ZERO, Duration::from_millis(200)] {
            let each = |tick: Tick| -> Result<(), Infallible> {
                reported.push(tick);
                Ok(())
            };
            let _ = ticks.wait(wait, each).await;
        }
        let at: Vec<_> = reported.iter().map(|tick| tick.at().as_millis()).collect();
        assert_eq!(at, [250, 500, 750, 1000, 1250, 1500, 1750, 2000, 2250, 2500, 2750, 3000]);
        let seconds: Vec<_> = reported.iter().filter_map(|tick| tick.second()).map(|at| at.as_secs()).collect();
        assert_eq!(seconds, [1, 2, 3]);
    }

    #[tokio::test]
    async fn an_error_ends_the_wait() {
        let origin = Instant::now().checked_sub(Duration::from_secs(5)).unwrap_or_else(Instant::now);
        let ended = Ticks::since(origin).wait(Duration::from_secs(600), Err).await;
        assert_eq!(ended.unwrap_err().at(), INTERVAL);
    }

    #[tokio::test]
    async fn ticks_go_on_until_what_is_awaited_is_done() {
        let (mut ticks, mut reported) = (Ticks::since(Instant::now()), 0);
        let done = ticks.during(sleep(Duration::from_millis(600)), |_| reported += 1);
        done.await;
        assert!((1..=2).contains(&reported), "{reported}");
        let done = ticks.during(async { 7 }, |_| unreachable!("nothing is awaited"));
        assert_eq!(done.await, 7);
    }
}
