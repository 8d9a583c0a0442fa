//! How values are written on the command line. Every error is a text for it: what is wrong, and what is allowed.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

/// Longest duration that is accepted: nobody waits longer for a model, and sums of it cannot overflow.
const TIME_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Longest retention that is accepted, ten years: it can be subtracted from the milliseconds since 1970.
const RETENTION_MAX: Duration = Duration::from_secs(3650 * 24 * 60 * 60);

/// A limit that may be `off`: as a value, so that an environment variable can switch it off too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrOff<T>(pub Option<T>);

impl<T: FromStr<Err: fmt::Display>> FromStr for OrOff<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        or_off(text, |text| text.parse().map_err(|error: T::Err| error.to_string()))
    }
}

/// `off`, or what `parse` reads.
///
/// # Errors
/// Those of `parse`.
pub fn or_off<T>(text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<OrOff<T>, String> {
    if text == "off" { Ok(OrOff(None)) } else { parse(text).map(|value| OrOff(Some(value))) }
}

/// A whole number from 1.
///
/// # Errors
/// See the module.
pub fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected a whole number from 1".to_owned())
}

/// A whole number from 1, or `off`.
///
/// # Errors
/// See the module.
pub fn at_least_one_or_off(text: &str) -> Result<OrOff<NonZeroUsize>, String> {
    or_off(text, |text| at_least_one(text).map_err(|error| format!("{error}, or off")))
}

/// A share between 0 and 1, or `off`.
///
/// # Errors
/// See the module.
pub fn share_or_off(text: &str) -> Result<OrOff<f64>, String> {
    or_off(text, |text| match text.parse() {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        _ => Err("expected a share over 0 and under 1, such as 0.5, or off".to_owned()),
    })
}

/// A timeout, such as `5s`: over zero, which would reject every call, and at most a day.
///
/// # Errors
/// See the module.
pub fn timeout(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("must be over zero, for example 250ms or 5s".into()),
        time => Ok(time),
    }
}

/// A timeout, or `off`.
///
/// # Errors
/// See the module.
pub fn timeout_or_off(text: &str) -> Result<OrOff<Duration>, String> {
    or_off(text, |text| timeout(text).map_err(|error| format!("{error}, or off")))
}

/// How long something is kept, such as `30days`, or `off`.
///
/// # Errors
/// See the module.
pub fn retention_or_off(text: &str) -> Result<OrOff<Duration>, String> {
    or_off(text, |text| match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be over zero, for example 12h or 30days, or off".into()),
        Ok(time) if time > RETENTION_MAX => Err("must be at most 3650days, or off".into()),
        Ok(time) => Ok(time),
        Err(error) => Err(format!("{error}, for example 12h or 30days, or off")),
    })
}

/// A duration of at most a day.
///
/// # Errors
/// See the module.
pub fn time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time > TIME_MAX => Err("must be at most 1day".into()),
        Ok(time) => Ok(time),
        Err(error) => Err(format!("{error}, for example 250ms or 5s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_refused_gets_what_is_allowed() {
        for (error, expected) in [
            (timeout("0s").unwrap_err(), "over zero"),
            (timeout("5").unwrap_err(), "250ms or 5s"),
            (time("25h").unwrap_err(), "at most 1day"),
            (timeout_or_off("none").unwrap_err(), "or off"),
            (retention_or_off("0s").unwrap_err(), "30days, or off"),
            (retention_or_off("9999y").unwrap_err(), "at most 3650days"),
            (at_least_one("0").unwrap_err(), "from 1"),
            (at_least_one_or_off("-1").unwrap_err(), "from 1, or off"),
            (share_or_off("1").unwrap_err(), "under 1"),
        ] {
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn off_is_a_value() {
        assert_eq!(timeout_or_off("off"), Ok(OrOff(None)));
        assert_eq!(timeout_or_off("90s"), Ok(OrOff(Some(Duration::from_secs(90)))));
        assert_eq!("off".parse(), Ok(OrOff::<u64>(None)));
        assert_eq!("7".parse(), Ok(OrOff(Some(7_u64))));
    }
}
