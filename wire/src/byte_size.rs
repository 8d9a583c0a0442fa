//! A number of bytes as written in flags and messages: `8MiB`.

use std::fmt;
use std::str::FromStr;

/// Bytes: `1048576`, `512KiB`, `8MiB` or `1GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteSize(pub usize);

/// Largest number of bytes accepted: more than a machine has is a typing error.
const BYTES_MAX: usize = 1 << 40;

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected bytes from 1 to {BYTES_MAX}, for example 8MiB or 1048576");
        let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
        let unit = units.into_iter().find_map(|(name, bytes)| Some((text.strip_suffix(name)?, bytes)));
        let (number, bytes) = unit.unwrap_or((text, 1));
        let number: usize = number.trim_end().parse().map_err(|_| expected())?;
        let bytes = number.checked_mul(bytes).filter(|bytes| (1..=BYTES_MAX).contains(bytes));
        bytes.map(ByteSize).ok_or_else(expected)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
        match units.into_iter().find(|(_, bytes)| self.0.is_multiple_of(*bytes)) {
            Some((name, bytes)) => write!(formatter, "{}{name}", self.0 / bytes),
            None => write!(formatter, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_parsed_and_displayed_with_units() {
        for (text, bytes) in [("1", 1), ("8MiB", 8 << 20), ("512 KiB", 512 << 10), ("1GiB", 1 << 30)] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
            assert_eq!(ByteSize(bytes).to_string(), text.replace(' ', ""));
        }
        for text in ["", "0", "-1", "8MB", "1.5MiB", "9999999GiB", "99999999999999999999KiB", "MiB"] {
            assert!(text.parse::<ByteSize>().unwrap_err().contains("8MiB"), "{text}");
        }
    }
}
