//! Cases of a table: one request each, and what should come of it.

use std::fmt;

use wire::faults::{Expected, FaultCase};
use wire::outcome::Outcome;

use crate::traffic::Request;

/// A request that is made once, and what should come of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its name in the table.
    pub name: String,
    /// The request.
    pub request: Request,
    /// What should come of it.
    pub expected: Cells,
}

/// What should come of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cells {
    /// The client's status.
    pub status: u16,
    /// Attempts that the vendor saw.
    pub attempts: u64,
    /// The outcome that the server counts.
    pub outcome: Outcome,
    /// The client's `Retry-After`.
    pub retry_after: RetryAfter,
}

/// A `Retry-After` that should or should not be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// There should be none.
    None,
    /// There should be one, with a time that depends on the load.
    Some,
    /// It should name these seconds.
    Seconds(u64),
}

impl Case {
    /// A case with its expectation.
    #[must_use]
    pub fn new(name: impl Into<String>, request: Request, expected: Cells) -> Self {
        Case { name: name.into(), request, expected }
    }

    /// The vendor fails so, and a stream was asked for.
    #[must_use]
    pub fn stream(case: &FaultCase) -> Self {
        Case::new(case.fault, Request::chat().fault(case.fault), case.of_stream.into())
    }

    /// The vendor fails so, and a whole answer was asked for.
    #[must_use]
    pub fn whole(case: &FaultCase) -> Self {
        Case::new(case.fault, Request::whole().fault(case.fault), case.of_whole.into())
    }
}

impl Cells {
    /// Without a `Retry-After`.
    #[must_use]
    pub fn new(status: u16, attempts: u64, outcome: Outcome) -> Self {
        Cells { status, attempts, outcome, retry_after: RetryAfter::None }
    }

    /// With a `Retry-After`.
    #[must_use]
    pub fn retry_after(self, retry_after: RetryAfter) -> Self {
        Cells { retry_after, ..self }
    }
}

impl From<Expected> for Cells {
    fn from(expected: Expected) -> Self {
        let Expected { status, attempts, outcome, retry_after } = expected;
        Cells::new(status, attempts, outcome).retry_after(retry_after.map_or(RetryAfter::None, RetryAfter::Seconds))
    }
}

impl RetryAfter {
    /// How the absence of the header is written.
    pub const ABSENT: &str = "none";

    /// Whether this value, or [`RetryAfter::ABSENT`], is as it should be.
    #[must_use]
    pub fn is_met_by(self, measured: &str) -> bool {
        match self {
            RetryAfter::Some => measured != RetryAfter::ABSENT,
            RetryAfter::None | RetryAfter::Seconds(_) => measured == self.to_string(),
        }
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RetryAfter::None => f.write_str(RetryAfter::ABSENT),
            RetryAfter::Some => f.write_str("any"),
            RetryAfter::Seconds(seconds) => write!(f, "{seconds}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_after_is_judged_by_its_presence_or_its_value() {
        for (expected, met, missed) in [
            (RetryAfter::None, "none", "1"),
            (RetryAfter::Some, "1", "none"),
            (RetryAfter::Seconds(900), "900", "1"),
            (RetryAfter::Seconds(900), "900", "none"),
        ] {
            assert!(expected.is_met_by(met) && !expected.is_met_by(missed), "{expected}");
        }
    }

    #[test]
    fn a_case_of_the_contract_has_its_expectation_and_its_fault() {
        let fault = FaultCase::of("hang-after=2").expect("it is listed");
        let (stream, whole) = (Case::stream(fault), Case::whole(fault));
        assert_eq!((stream.expected.status, whole.expected.status), (200, 502));
        assert_eq!(whole.request.header_value("x-mock-fault"), Some("hang-after=2"));
    }
}
