//! The unit of a figure, which prints itself with its value.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::numbers::{millis, number};

/// The unit of a figure. JSON has its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(from = "UnitFields", into = "UnitFields")]
pub enum Unit {
    /// Milliseconds, shown as seconds from one second on: `ms`.
    Milliseconds,
    /// A time that the lab defines, such as a token gap. It is shown in milliseconds or seconds.
    Time {
        /// Its name in the plural: `gaps`.
        name: Cow<'static, str>,
        /// Its length in milliseconds.
        ms: f64,
    },
    /// `%`.
    Percent,
    /// A ratio, shown as `8 times`: `x`.
    Times,
    /// Processors in use, shown as `84 % CPU`: `cores`.
    Cores,
    /// What is counted, in the plural: `streams`, `attempts`, `MB`. Empty for a plain number.
    Count(Cow<'static, str>),
}

impl Unit {
    /// Streams.
    pub const STREAMS: Unit = Unit::count("streams");
    /// Calls.
    pub const CALLS: Unit = Unit::count("calls");
    /// Probes.
    pub const PROBES: Unit = Unit::count("probes");
    /// Threads.
    pub const THREADS: Unit = Unit::count("threads");
    /// Tokens.
    pub const TOKENS: Unit = Unit::count("tokens");
    /// None: a plain number.
    pub const NONE: Unit = Unit::count("");

    /// The unit of things of this name, in the plural.
    #[must_use]
    pub const fn count(name: &'static str) -> Self {
        Unit::Count(Cow::Borrowed(name))
    }

    /// Its name in JSON.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Unit::Milliseconds => "ms",
            Unit::Percent => "%",
            Unit::Times => "x",
            Unit::Cores => "cores",
            Unit::Time { name, .. } | Unit::Count(name) => name,
        }
    }

    /// `value` with its unit: `12.3 ms`, `40 streams`, `1.2 attempts`, `96 %`, `8 times`.
    #[must_use]
    pub fn show(&self, value: f64) -> String {
        let number = self.show_number(value);
        match self {
            Unit::Times => format!("{number} times"),
            Unit::Count(name) if value == 1.0 => format!("{number} {}", singular(name)).trim_end().to_owned(),
            Unit::Count(name) => format!("{number} {name}").trim_end().to_owned(),
            _ => number,
        }
    }

    /// `value` beside another one that is shown with its unit: without what would be there twice.
    #[must_use]
    pub fn show_number(&self, value: f64) -> String {
        match self {
            Unit::Milliseconds => millis(value),
            Unit::Time { ms, .. } => millis(value * ms),
            Unit::Percent => format!("{} %", number(value)),
            Unit::Cores => format!("{} % CPU", number(value * 100.0)),
            Unit::Times | Unit::Count(_) => number(value),
        }
    }
}

/// A unit in JSON: its name, and the length of a time that the lab defines.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct UnitFields {
    /// `ms`, `%`, `x` (times), `cores`, or what is counted, in the plural; empty for a plain number.
    unit: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// The length of a time that the lab defines, in milliseconds.
    unit_ms: Option<f64>,
}

impl From<Unit> for UnitFields {
    fn from(unit: Unit) -> Self {
        let unit_ms = if let Unit::Time { ms, .. } = unit { Some(ms) } else { None };
        UnitFields { unit: unit.name().to_owned().into(), unit_ms }
    }
}

impl From<UnitFields> for Unit {
    fn from(fields: UnitFields) -> Self {
        match (fields.unit_ms, &*fields.unit) {
            (Some(ms), _) => Unit::Time { name: fields.unit, ms },
            (None, "ms") => Unit::Milliseconds,
            (None, "%") => Unit::Percent,
            (None, "x") => Unit::Times,
            (None, "cores") => Unit::Cores,
            (None, _) => Unit::Count(fields.unit),
        }
    }
}

/// `retries` as `retry`, `streams` as `stream`, `MB` as it is.
fn singular(name: &str) -> String {
    match name.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => name.strip_suffix('s').unwrap_or(name).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Unit> {
        let time = Unit::Time { name: "gaps".into(), ms: 250.0 };
        vec![
            Unit::Milliseconds,
            time,
            Unit::Percent,
            Unit::Times,
            Unit::Cores,
            Unit::STREAMS,
            Unit::count("MB"),
            Unit::count("any other"),
            Unit::count(""),
        ]
    }

    #[test]
    fn no_unit_rounds_a_small_value_away() {
        for unit in all() {
            let shown = |value| (unit.show(value), unit.show_number(value));
            // These two are shown in another unit than they are measured in.
            let scale = match unit {
                Unit::Time { ms, .. } => ms,
                Unit::Cores => 100.0,
                _ => 1.0,
            };
            for (value, number) in [(0.84, "0.84"), (12.0, "12"), (3.46, "3.5"), (97.46, "97.5")] {
                let (whole, alone) = shown(value / scale);
                assert!(whole.starts_with(number) && alone.starts_with(number), "{unit:?}: {whole}, {alone}");
                assert!(
                    !whole[number.len()..].starts_with(|c: char| c.is_ascii_digit() || c == '.'),
                    "{unit:?}: {whole}"
                );
            }
        }
    }

    #[test]
    fn a_value_is_shown_with_its_unit() {
        for (unit, value, shown) in [
            (Unit::Milliseconds, 12.3, "12.3 ms"),
            (Unit::Milliseconds, 10_002.0, "10 s"),
            (Unit::Time { name: "gaps".into(), ms: 250.0 }, 1.2, "300 ms"),
            (Unit::Percent, 96.0, "96 %"),
            (Unit::Times, 14_048.2, "14,048 times"),
            (Unit::Cores, 0.021, "2.1 % CPU"),
            (Unit::STREAMS, 40.0, "40 streams"),
            (Unit::STREAMS, 1.0, "1 stream"),
            (Unit::count("attempts"), 1.24, "1.2 attempts"),
            (Unit::count("retries"), 1.0, "1 retry"),
            (Unit::count("MB"), 1.0, "1 MB"),
            (Unit::count("MB"), -31.0, "-31 MB"),
            (Unit::count(""), 0.84, "0.84"),
        ] {
            assert_eq!(unit.show(value), shown);
        }
    }

    #[test]
    fn a_result_file_gives_the_same_unit_back() {
        for unit in all() {
            let json = serde_json::to_value(&unit).expect("it is JSON");
            assert_eq!(json["unit"], unit.name());
            assert_eq!(serde_json::from_value::<Unit>(json).expect("it was written so"), unit);
        }
    }
}
