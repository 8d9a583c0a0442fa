//! A rate as written in flags: `60/1m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A number of units per interval, in the long run: `60/1m`. A unit is whatever the user counts, requests or tokens. How
/// unevenly they may come is not part of it: that is the burst.
///
/// Written as `AMOUNT/INTERVAL`: an amount from 1 to 10^12, and an interval from `1ms` to `24h` as a
/// whole number and one of `ms`, `s`, `m`, `h`.
///
/// ```
/// use std::time::Duration;
/// use resilience::Rate;
///
/// let rate: Rate = "60/1m".parse().unwrap();
/// assert_eq!(rate.time_for(5), Duration::from_secs(5));
/// assert_eq!(rate.to_string(), "60/1m");
/// let error = "60/1y".parse::<Rate>().unwrap_err();
/// assert_eq!(error.to_string(), "the interval is '1y', expected 1ms to 24h: a whole number and ms, s, m or h");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    amount: u64,
    interval: Duration,
}

/// A rate that cannot be parsed or is out of range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// It has no `/`.
    #[error("'{found}' is not a rate, expected AMOUNT/INTERVAL, such as 60/1m")]
    Form {
        /// The whole text.
        found: String,
    },
    /// The part before the `/`.
    #[error("the amount is '{found}', expected a whole number from 1 to {}", Rate::AMOUNT_MAX)]
    Amount {
        /// The amount.
        found: String,
    },
    /// The part after the `/`.
    #[error("the interval is '{found}', expected 1ms to 24h: a whole number and ms, s, m or h")]
    Interval {
        /// The interval.
        found: String,
    },
}

/// Milliseconds of each unit of time, longest first.
const UNITS: [(&str, u64); 4] = [("h", 60 * 60 * 1000), ("m", 60 * 1000), ("s", 1000), ("ms", 1)];

impl Rate {
    /// Most units per interval. With it, and intervals of at most a day, no sum in this crate can overflow before a
    /// limiter is centuries old.
    pub const AMOUNT_MAX: u64 = 1_000_000_000_000;

    /// Longest interval.
    pub const INTERVAL_MAX: Duration = Duration::from_secs(24 * 60 * 60);

    /// A rate of `amount` units per `interval`, which must be a whole number of milliseconds.
    ///
    /// # Errors
    /// [`RateError`] if one of them is out of range.
    pub fn new(amount: u64, interval: Duration) -> Result<Self, RateError> {
        if !(1..=Rate::AMOUNT_MAX).contains(&amount) {
            return Err(RateError::Amount { found: amount.to_string() });
        }
        let whole = interval.subsec_nanos().is_multiple_of(1_000_000);
        if interval.is_zero() || interval > Rate::INTERVAL_MAX || !whole {
            return Err(RateError::Interval { found: format!("{interval:?}") });
        }
        Ok(Rate { amount, interval })
    }

    /// Units per interval, 1 to [`Rate::AMOUNT_MAX`].
    #[must_use]
    pub fn amount(self) -> u64 {
        self.amount
    }

    /// The interval, 1 ms to [`Rate::INTERVAL_MAX`].
    #[must_use]
    pub fn interval(self) -> Duration {
        self.interval
    }

    /// How long `units` take at this rate, rounded up to a nanosecond.
    #[must_use]
    pub fn time_for(self, units: u64) -> Duration {
        let nanos = u128::from(units) * self.interval.as_nanos();
        duration_of(nanos.div_ceil(u128::from(self.amount)))
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let (amount, interval) = text.split_once('/').ok_or_else(|| RateError::Form { found: text.into() })?;
        let amount = amount.parse().map_err(|_| RateError::Amount { found: amount.into() })?;
        let found = || RateError::Interval { found: interval.into() };
        Rate::new(amount, parse_interval(interval).ok_or_else(found)?).map_err(|error| match error {
            // As it was written, not as it was parsed.
            RateError::Interval { .. } => found(),
            other => other,
        })
    }
}

impl fmt::Display for Rate {
    /// In the longest unit of which the interval is a multiple.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.interval.as_millis();
        let divides = |(_, unit): &(&str, u64)| millis.is_multiple_of(u128::from(*unit));
        let (name, unit) = UNITS.into_iter().find(divides).unwrap_or(("ms", 1));
        write!(formatter, "{}/{}{name}", self.amount, millis / u128::from(unit))
    }
}

/// A duration of `nanos` nanoseconds, or the longest possible.
pub(crate) fn duration_of(nanos: u128) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    let seconds = u64::try_from(nanos / SECOND);
    seconds.map_or(Duration::MAX, |seconds| Duration::new(seconds, (nanos % SECOND) as u32))
}

fn parse_interval(text: &str) -> Option<Duration> {
    let (number, name) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit())?);
    let (_, unit) = UNITS.into_iter().find(|(unit, _)| *unit == name)?;
    Some(Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(unit)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_error_names_the_part_and_what_is_allowed() {
        let error = |text: &str| text.parse::<Rate>().unwrap_err().to_string();
        for text in ["", "60", "60 per minute"] {
            assert_eq!(error(text), format!("'{text}' is not a rate, expected AMOUNT/INTERVAL, such as 60/1m"));
        }
        for amount in ["", "0", "-1", "1.5", "1000000000001", "99999999999999999999", "sixty"] {
            let expected = format!("the amount is '{amount}', expected a whole number from 1 to 1000000000000");
            assert_eq!(error(&format!("{amount}/1m")), expected);
        }
        for interval in ["", "1", "0s", "-1s", "m", "1.5s", "25h", "1d", "1m/2", "99999999999999999h", "1µs"] {
            let expected =
                format!("the interval is '{interval}', expected 1ms to 24h: a whole number and ms, s, m or h");
            assert_eq!(error(&format!("60/{interval}")), expected);
        }
    }

    #[test]
    fn intervals_are_parsed_in_ms_s_m_and_h() {
        let millis = |interval: &str| format!("1/{interval}").parse::<Rate>().unwrap().interval().as_millis();
        assert_eq!(["7ms", "7s", "7m", "7h"].map(millis), [7, 7_000, 420_000, 25_200_000]);
        let shortest = ["60/60s", "1/90s", "1/120m", "1/1500ms"].map(|text| text.parse::<Rate>().unwrap().to_string());
        assert_eq!(shortest, ["60/1m", "1/90s", "1/2h", "1/1500ms"]);
    }

    #[test]
    fn a_rate_made_in_code_has_the_same_range() {
        assert!(Rate::new(1, Rate::INTERVAL_MAX).is_ok());
        for interval in [Duration::ZERO, Duration::from_micros(1500), Duration::MAX] {
            assert!(Rate::new(1, interval).is_err(), "{interval:?}");
        }
        assert_eq!(Rate::new(1, Duration::from_millis(1)).unwrap().time_for(u64::MAX).as_millis(), u64::MAX.into());
    }

    proptest! {
        #[test]
        fn a_displayed_rate_parses_as_the_same_rate(amount in 1..=Rate::AMOUNT_MAX, millis in 1_u64..=86_400_000) {
            let rate = Rate::new(amount, Duration::from_millis(millis)).unwrap();
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }

        #[test]
        fn the_time_for_units_is_the_first_nanosecond_with_all(
            amount in 1..=Rate::AMOUNT_MAX, millis in 1_u64..=86_400_000, units: u32,
        ) {
            let rate = Rate::new(amount, Duration::from_millis(millis)).unwrap();
            let wanted = u128::from(units) * rate.interval().as_nanos();
            let nanos = rate.time_for(units.into()).as_nanos();
            prop_assert!(nanos * u128::from(amount) >= wanted);
            prop_assert!(units == 0 || (nanos - 1) * u128::from(amount) < wanted);
        }

        #[test]
        fn parsing_never_panics(text in "\\PC*", number in "[0-9]{0,25}") {
            // The errors are tested above.
            let _ = text.parse::<Rate>();
            let _ = format!("{number}/{number}{text}").parse::<Rate>();
        }
    }
}
