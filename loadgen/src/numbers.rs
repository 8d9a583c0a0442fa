//! Numbers for people.

use std::time::Duration;

/// A duration in milliseconds.
#[must_use]
pub fn in_millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// A latency given in milliseconds: `0.42 ms`, `3.1 ms`, `50 ms`, `120 ms`, `12.7 s`, `10 s`.
#[must_use]
pub fn millis(millis: f64) -> String {
    match millis {
        m if m.fract() == 0.0 && m < 999.5 => format!("{m} ms"),
        m if m < 1.0 => format!("{m:.2} ms"),
        m if m < 100.0 => format!("{m:.1} ms"),
        m if m < 999.5 => format!("{m:.0} ms"),
        m => format!("{} s", (m / 100.0).round() / 10.0),
    }
}

/// A latency in few characters: `0.4ms`, `125ms`, `10.0s`.
#[must_use]
pub fn short_millis(millis: f64) -> String {
    match millis {
        m if m < 9.95 => format!("{m:.1}ms"),
        m if m < 999.5 => format!("{m:.0}ms"),
        m => format!("{:.1}s", m / 1000.0),
    }
}

/// A duration for people who wait: `about 40 s`, `about 3 min`.
#[must_use]
pub fn approximately(duration: Duration) -> String {
    const MINUTES_FROM_S: u64 = 100;
    match duration.as_secs() {
        seconds if seconds < MINUTES_FROM_S => format!("about {seconds} s"),
        seconds => format!("about {} min", seconds.div_ceil(60)),
    }
}

/// Any number: without decimals if it is whole or at least 100, otherwise with two digits or one decimal: `0.84`,
/// `3.5`, `97.5`, `14,048`.
#[must_use]
pub fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 99.95 || value.fract() == 0.0 {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}{}", count(size.round() as u64));
    }
    let decimals = match size {
        size if size >= 1.0 => 1,
        size if size >= 0.01 => 2,
        // Enough for one digit, so that what is not 0 does not look like it.
        size => (-size.log10()).ceil().min(9.0) as usize,
    };
    format!("{value:.decimals$}")
}

/// A count with thousands separators: `16,000`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count of something: `1 stream`, `40 streams`.
#[must_use]
pub fn counted(number: u64, singular: &str, plural: &str) -> String {
    format!("{} {}", count(number), if number == 1 { singular } else { plural })
}

/// A place in an order: `1st`, `40th`, `1,022nd`.
#[must_use]
pub fn ordinal(number: u64) -> String {
    let ending = match (number % 10, number % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{}{ending}", count(number))
}

/// Memory in MB of a million bytes.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    format!("{} MB", count((bytes as f64 / 1e6).round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_matter() {
        assert_eq!([0.0, 0.4231, 1.0, 50.0].map(millis), ["0 ms", "0.42 ms", "1 ms", "50 ms"]);
        assert_eq!(millis(3.24), "3.2 ms");
        assert_eq!(millis(120.4), "120 ms");
        assert_eq!([999.4, 999.6, 10_002.4, 12_684.0].map(millis), ["999 ms", "1 s", "10 s", "12.7 s"]);
        assert_eq!([0.42, 9.96, 125.4, 9_998.0].map(short_millis), ["0.4ms", "10ms", "125ms", "10.0s"]);
        assert_eq!(
            [40, 99, 100, 181].map(|s| approximately(Duration::from_secs(s))),
            ["about 40 s", "about 99 s", "about 2 min", "about 4 min"]
        );
        assert_eq!([0.84, 3.46, 9.96, 12.0, 97.46, 99.97].map(number), ["0.84", "3.5", "10.0", "12", "97.5", "100"]);
        assert_eq!([14_048.2, 0.046, 0.004, -31.4, 0.0].map(number), ["14,048", "0.05", "0.004", "-31.4", "0"]);
        assert_eq!(
            [1, 2, 3, 11, 13, 40, 101, 1022].map(ordinal),
            ["1st", "2nd", "3rd", "11th", "13th", "40th", "101st", "1,022nd"]
        );
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!([19_400_000, 1_250_000_000].map(bytes), ["19 MB", "1,250 MB"]);
    }
}
