//! The whole seconds of a run, for its lines of output.

use std::time::{Duration, Instant};

use tokio::time::sleep;

/// The whole seconds of a run. Each is reported once, including those that pass between two waits.
pub struct Seconds {
    origin: Instant,
    reported: u64,
}

impl Seconds {
    /// The seconds since `origin`, the start of the run.
    #[must_use]
    pub fn since(origin: Instant) -> Self {
        Seconds { origin, reported: 0 }
    }

    /// Waits for `duration` and calls `report` for every whole second since the start of the run.
    ///
    /// # Errors
    /// The first error of `report`, which ends the wait.
    pub async fn wait<E>(
        &mut self,
        duration: Duration,
        mut report: impl FnMut(Duration) -> Result<(), E>,
    ) -> Result<(), E> {
        let end = self.origin.elapsed() + duration;
        loop {
            let next = Duration::from_secs(self.reported + 1);
            sleep(next.min(end).saturating_sub(self.origin.elapsed())).await;
            if next > end {
                return Ok(());
            }
            self.reported += 1;
            report(next)?;
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
        let mut seconds = Seconds::since(origin);
        let mut reported = Vec::new();
        for wait in [Duration::ZERO, Duration::from_millis(200)] {
            let each = |second: Duration| -> Result<(), Infallible> {
                reported.push(second.as_secs());
                Ok(())
            };
            let _ = seconds.wait(wait, each).await;
        }
        assert_eq!(reported, [1, 2, 3]);
    }

    #[tokio::test]
    async fn an_error_ends_the_wait() {
        let mut seconds =
            Seconds::since(Instant::now().checked_sub(Duration::from_secs(5)).unwrap_or_else(Instant::now));
        let ended = seconds.wait(Duration::from_secs(600), Err).await;
        assert_eq!(ended, Err(Duration::from_secs(1)));
    }
}
