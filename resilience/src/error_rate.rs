//! The share of recent calls that failed.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::invalid_setting::InvalidSetting;
use crate::window::Window;

/// The share of recent calls that failed.
///
/// Over a time span and not over a number of calls: the share of the last hundred calls would never change again once
/// calls stop, and what depends on it would stay as it is.
///
/// ```
/// use std::time::Duration;
/// use resilience::ErrorRate;
///
/// let errors = ErrorRate::new(Duration::from_secs(10), 4).unwrap();
/// errors.note(true);
/// assert_eq!(errors.share(), 0.0, "one failure of one call means little");
/// [false, true, true].map(|failed| errors.note(failed));
/// assert_eq!(errors.share(), 0.75);
/// ```
#[derive(Debug)]
pub struct ErrorRate {
    min_calls: u64,
    /// Calls, and those of them that failed. A std mutex: held for a few additions, never across an `.await`.
    windows: Mutex<(Window, Window)>,
}

impl ErrorRate {
    /// The rate over the last `span` (1 s to 10 min). It is 0 while there are fewer than `min_calls` in it.
    ///
    /// # Errors
    /// [`InvalidSetting`] if `span` is out of range.
    pub fn new(span: Duration, min_calls: u64) -> Result<Self, InvalidSetting> {
        let spans = Duration::from_secs(1)..=Duration::from_secs(10 * 60);
        InvalidSetting::require(spans.contains(&span), "span", span, "1s to 10min")?;
        let now = Instant::now();
        Ok(ErrorRate { min_calls, windows: Mutex::new((Window::new(span, now), Window::new(span, now))) })
    }

    /// Counts a call that has ended.
    pub fn note(&self, failed: bool) {
        let now = Instant::now();
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.0.add(now);
        if failed {
            windows.1.add(now);
        }
    }

    /// The share, from 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        let now = Instant::now();
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let (calls, failures) = (windows.0.count(now), windows.1.count(now));
        if calls == 0 || calls < self.min_calls { 0.0 } else { failures as f64 / calls as f64 }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn old_failures_expire_without_new_calls() {
        let errors = ErrorRate::new(Duration::from_secs(10), 2).unwrap();
        errors.note(true);
        errors.note(true);
        assert_eq!(errors.share(), 1.0);
        advance(Duration::from_secs(11)).await;
        assert_eq!(errors.share(), 0.0);
    }

    #[test]
    fn a_span_out_of_range_is_named_in_the_error() {
        let error = ErrorRate::new(Duration::ZERO, 1).unwrap_err();
        assert_eq!(error.to_string(), "span is 0ns, expected 1s to 10min");
    }
}
