//! How values are written on the command line.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

/// Longest duration that is taken: nobody waits longer for a model, and sums of it cannot overflow.
const TIME_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Longest retention that is taken: ten years, of which milliseconds since 1970 can be counted back.
const RETENTION_MAX: Duration = Duration::from_secs(3650 * 24 * 60 * 60);

/// A limit that there may be, or not: `off`. So that an environment variable, too, can switch one off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrOff<T>(pub Option<T>);

impl<T: FromStr<Err: fmt::Display>> FromStr for OrOff<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        or_off(text, |text| text.parse().map_err(|error: T::Err| error.to_string()))
    }
}

pub(super) fn or_off<T>(text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<OrOff<T>, String> {
    if text == "off" { Ok(OrOff(None)) } else { parse(text).map(|value| OrOff(Some(value))) }
}

pub(super) fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected a whole number from 1".to_owned())
}

pub(super) fn at_least_one_or_off(text: &str) -> Result<OrOff<NonZeroUsize>, String> {
    or_off(text, |text| at_least_one(text).map_err(|error| format!("{error}, or off")))
}

/// A share of all, such as 0.5.
pub(super) fn share_or_off(text: &str) -> Result<OrOff<f64>, String> {
    or_off(text, |text| match text.parse() {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        _ => Err("expected a share over 0 and under 1, such as 0.5, or off".to_owned()),
    })
}

/// A duration that may run out: zero would refuse every call.
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("must be over zero, for example 250ms or 5s".into()),
        time => Ok(time),
    }
}

pub(super) fn timeout_or_off(text: &str) -> Result<OrOff<Duration>, String> {
    or_off(text, |text| timeout(text).map_err(|error| format!("{error}, or off")))
}

pub(super) fn retention_or_off(text: &str) -> Result<OrOff<Duration>, String> {
    or_off(text, |text| match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be over zero, for example 12h or 30days, or off".into()),
        Ok(time) if time > RETENTION_MAX => Err("must be at most 3650days, or off".into()),
        Ok(time) => Ok(time),
        Err(error) => Err(format!("{error}, for example 12h or 30days, or off")),
    })
}

pub(super) fn time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time > TIME_MAX => Err("must be at most 1day".into()),
        Ok(time) => Ok(time),
        Err(error) => Err(format!("{error}, for example 250ms or 5s")),
    }
}
