//! What opens a breaker.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

use crate::invalid::InvalidSetting;
use crate::window::Window;

/// What opens a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trip {
    /// So many failures with no success between them. Simple, and blind to a service that fails nine
    /// calls of ten.
    Consecutive {
        /// The failures.
        failures: NonZeroU32,
    },
    /// A share of failures among the calls that ended lately. Only a failure opens the breaker: who
    /// has just been answered has no reason to stop asking.
    Share {
        /// Failures in every 100 calls, 1 to 100.
        percent: u8,
        /// How long a call is counted; 1 s to 10 min. The longest call should fit in it, or the
        /// quick failures are all that it sees.
        window: Duration,
        /// Calls that there must be in the window: one failure of one call is 100 % and means little.
        min_calls: NonZeroU32,
    },
}

impl Trip {
    pub(super) fn check(&self) -> Result<(), InvalidSetting> {
        let Trip::Share { percent, window, .. } = *self else { return Ok(()) };
        InvalidSetting::unless((1..=100).contains(&percent), "percent", percent, "1 to 100")?;
        let windows = Duration::from_secs(1)..=Duration::from_secs(10 * 60);
        InvalidSetting::unless(windows.contains(&window), "window", window, "1s to 10min")
    }

    /// The verdicts of a breaker that has just closed: none.
    pub(super) fn verdicts(&self, now: Instant) -> Verdicts {
        match *self {
            Trip::Consecutive { failures } => Verdicts::Consecutive { failures: 0, limit: failures.get() },
            Trip::Share { percent, window, min_calls } => Verdicts::Share {
                percent: percent.into(),
                min_calls: min_calls.get().into(),
                calls: Window::new(window, now),
                failures: Window::new(window, now),
            },
        }
    }
}

/// What the calls of a closed breaker have come to.
#[derive(Debug)]
pub(super) enum Verdicts {
    Consecutive { failures: u32, limit: u32 },
    Share { percent: u64, min_calls: u64, calls: Window, failures: Window },
}

impl Verdicts {
    pub(super) fn note_success(&mut self, now: Instant) {
        match self {
            Verdicts::Consecutive { failures, .. } => *failures = 0,
            Verdicts::Share { calls, .. } => calls.add(now),
        }
    }

    /// Says whether this failure is one too many.
    #[must_use]
    pub(super) fn note_failure(&mut self, now: Instant) -> bool {
        match self {
            Verdicts::Consecutive { failures, limit } => {
                *failures += 1;
                *failures >= *limit
            }
            Verdicts::Share { percent, min_calls, calls, failures } => {
                calls.add(now);
                failures.add(now);
                let calls = calls.count(now);
                calls >= *min_calls && 100 * failures.count(now) >= *percent * calls
            }
        }
    }
}
