//! A limit over any interval, and the sliding window that enforces it.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::latency::{DELAY_MAX, parse_delay};

/// A limit over any interval of a length, written `60/1m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Most requests or tokens in an interval; 1 to [`Quota::LIMIT_MAX`].
    pub limit: u64,
    /// The interval; over 0, at most [`DELAY_MAX`].
    pub interval: Duration,
}

impl Quota {
    /// Far above any vendor's limit, and low enough that sums of tokens cannot overflow.
    pub const LIMIT_MAX: u64 = 1_000_000_000_000;

    pub(crate) const EXPECTED: &str =
        "LIMIT/INTERVAL, such as 60/1m, with a limit of at least 1 and an interval over 0";

    pub(crate) fn is_in_range(&self) -> bool {
        (1..=Self::LIMIT_MAX).contains(&self.limit) && !self.interval.is_zero() && self.interval <= DELAY_MAX
    }
}

impl FromStr for Quota {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let quota = text.split_once('/').and_then(|(limit, interval)| {
            let quota = Quota { limit: limit.parse().ok()?, interval: parse_delay(interval).ok()? };
            quota.is_in_range().then_some(quota)
        });
        quota.ok_or_else(|| format!("expected {}", Self::EXPECTED))
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.limit, humantime::format_duration(self.interval))
    }
}

/// A strict sliding window: no interval of the quota's length, wherever it starts, holds more than the limit. It
/// stores every admission; a token bucket would allow almost twice the limit in one interval.
#[derive(Debug)]
pub(crate) struct SlidingWindow {
    quota: Quota,
    /// Admissions that still count, with their cost, oldest first.
    admitted: VecDeque<(Instant, u64)>,
    used: u64,
}

/// How much of a window is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WindowStatus {
    pub(crate) limit: u64,
    pub(crate) remaining: u64,
    /// Time until all of it is free again, if nothing else is admitted.
    pub(crate) reset: Duration,
}

impl SlidingWindow {
    pub(crate) fn new(quota: Quota) -> Self {
        SlidingWindow { quota, admitted: VecDeque::new(), used: 0 }
    }

    /// Time until `cost` fits: zero if it fits now, `None` if it exceeds the limit by itself.
    pub(crate) fn wait_for(&mut self, now: Instant, cost: u64) -> Option<Duration> {
        self.expire(now);
        let mut excess = (self.used + cost).saturating_sub(self.quota.limit);
        if cost > self.quota.limit {
            return None;
        }
        let mut fits_at = now;
        for (at, admitted) in &self.admitted {
            if excess == 0 {
                break;
            }
            excess = excess.saturating_sub(*admitted);
            fits_at = *at + self.quota.interval;
        }
        Some(fits_at - now)
    }

    /// Records an admission of `cost`, which must fit.
    pub(crate) fn record(&mut self, now: Instant, cost: u64) {
        self.admitted.push_back((now, cost));
        self.used += cost;
    }

    pub(crate) fn status(&mut self, now: Instant) -> WindowStatus {
        self.expire(now);
        let newest = self.admitted.back().map_or(now, |(at, _)| *at + self.quota.interval);
        WindowStatus { limit: self.quota.limit, remaining: self.quota.limit - self.used, reset: newest - now }
    }

    fn expire(&mut self, now: Instant) {
        while let Some((at, cost)) = self.admitted.front()
            && *at + self.quota.interval <= now
        {
            self.used -= cost;
            self.admitted.pop_front();
        }
    }
}

/// A duration as the real API writes it: `20ms`, `1.5s`, `6m0s`.
pub(crate) fn short(duration: Duration) -> String {
    let milliseconds = duration.as_nanos().div_ceil(1_000_000);
    let seconds = milliseconds / 1_000;
    match seconds {
        0 => format!("{milliseconds}ms"),
        1..60 => format!("{}s", milliseconds as f64 / 1_000.0),
        60..3_600 => format!("{}m{}s", seconds / 60, seconds % 60),
        _ => format!("{}h{}m{}s", seconds / 3_600, seconds / 60 % 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_parsed_and_printed() {
        assert_eq!("60/1m".parse(), Ok(Quota { limit: 60, interval: Duration::from_secs(60) }));
        assert_eq!("60/1m".parse::<Quota>().unwrap().to_string(), "60/1m");
        for text in
            ["", "60", "60/", "/1m", "0/1m", "-1/1m", "60/0s", "60/fast", "60/2days", "x/1m", "9000000000000/1s"]
        {
            assert!(text.parse::<Quota>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_wait_ends_when_the_cost_fits() {
        let start = Instant::now();
        let second = |seconds| start + Duration::from_secs(seconds);
        let mut window = SlidingWindow::new(Quota { limit: 10, interval: Duration::from_secs(10) });
        window.record(second(0), 6);
        window.record(second(3), 4);
        assert_eq!(window.wait_for(second(4), 1), Some(Duration::from_secs(6)));
        assert_eq!(window.wait_for(second(4), 7), Some(Duration::from_secs(9)));
        assert_eq!(window.wait_for(second(4), 11), None);
        assert_eq!(window.wait_for(second(10), 6), Some(Duration::ZERO));
        let status = WindowStatus { limit: 10, remaining: 6, reset: Duration::from_secs(3) };
        assert_eq!(window.status(second(10)), status);
    }

    #[test]
    fn durations_are_formatted_as_by_the_real_api() {
        for (milliseconds, text) in
            [(0, "0ms"), (20, "20ms"), (1_500, "1.5s"), (59_000, "59s"), (360_000, "6m0s"), (3_723_000, "1h2m3s")]
        {
            assert_eq!(short(Duration::from_millis(milliseconds)), text);
        }
    }
}
