//! How values are written on the command line.

use std::time::Duration;

/// Longest duration that is taken: nobody waits longer for a model, and sums of it cannot overflow.
const TIME_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A duration that may run out: zero would refuse every call.
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("must be over zero, for example 250ms or 5s".into()),
        time => Ok(time),
    }
}

/// A duration of at most a day.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time > TIME_MAX => Err("must be at most 1day".into()),
        Ok(time) => Ok(time),
        Err(error) => Err(format!("{error}, for example 250ms or 5s")),
    }
}
