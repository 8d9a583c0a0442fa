//! What a client gets when the vendor fails: one list for the tests of the contract and for the labs.
//!
//! It is the contract of a server that makes at most two attempts, whatever it is built with. The faults are in the
//! language of the mock vendor.

use crate::outcome::Outcome;

/// A fault of the vendor, and what a server should make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultCase {
    /// The fault, as in `X-Mock-Fault`: `status=503;first=1`.
    pub fault: &'static str,
    /// What is expected where a stream was asked for. After its first token a stream cannot be retried: its client has
    /// some of it.
    pub of_stream: Expected,
    /// What is expected where a whole answer was asked for: of that the client has nothing yet.
    pub of_whole: Expected,
}

/// What is expected of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// The client's status.
    pub status: u16,
    /// Attempts that the vendor saw.
    pub attempts: u64,
    /// The outcome that is counted.
    pub outcome: Outcome,
    /// The `Retry-After` that the client gets, in seconds.
    pub retry_after: Option<u64>,
}

impl Expected {
    /// Without a `Retry-After`.
    #[must_use]
    pub const fn new(status: u16, attempts: u64, outcome: Outcome) -> Self {
        Expected { status, attempts, outcome, retry_after: None }
    }

    const fn retry_after(self, seconds: u64) -> Self {
        Expected { retry_after: Some(seconds), ..self }
    }
}

impl FaultCase {
    /// The case of this fault.
    #[must_use]
    pub fn of(fault: &str) -> Option<&'static FaultCase> {
        FAULT_CASES.iter().find(|case| case.fault == fault)
    }
}

const SUCCESS: Expected = Expected::new(200, 1, Outcome::Success);
const SUCCESS_AT_SECOND: Expected = Expected::new(200, 2, Outcome::Success);
const FAILED: Expected = Expected::new(502, 2, Outcome::UpstreamFailure);
const FAILED_FOR_GOOD: Expected = Expected::new(502, 1, Outcome::UpstreamFailure);
const TOO_LATE: Expected = Expected::new(502, 2, Outcome::CallTimeout);
const BROKEN_OFF: Expected = Expected::new(200, 1, Outcome::StreamError);

const fn rejected(status: u16, attempts: u64) -> Expected {
    Expected::new(status, attempts, Outcome::UpstreamRejected)
}

const fn both(fault: &'static str, expected: Expected) -> FaultCase {
    FaultCase { fault, of_stream: expected, of_whole: expected }
}

const fn each(fault: &'static str, of_stream: Expected, of_whole: Expected) -> FaultCase {
    FaultCase { fault, of_stream, of_whole }
}

/// Every kind of fault. A call, a first token and a silence may take 2.5 s; a deadline allows two attempts.
pub const FAULT_CASES: [FaultCase; 27] = [
    both("slow-headers=0s", SUCCESS),
    both("slow-headers=300ms", SUCCESS),
    both("drip=50ms", SUCCESS),
    each("drip=60s", BROKEN_OFF, TOO_LATE),
    both("ignore-disconnect", SUCCESS),
    both("status=500", FAILED),
    both("status=503", FAILED),
    // It does not come back within the deadline. When it does is said to this server, not to its client.
    both("status=503;retry-after=900", FAILED_FOR_GOOD),
    both("status=503;first=1", SUCCESS_AT_SECOND),
    both("status=400", rejected(400, 1)),
    // About the server's own key: a client can do nothing about it.
    both("status=401", FAILED_FOR_GOOD),
    both("status=404", rejected(404, 1)),
    both("status=422", rejected(422, 1)),
    both("status=408", rejected(408, 2)),
    both("status=429", rejected(429, 2)),
    both("status=429;retry-after=900", rejected(429, 1).retry_after(900)),
    both("status=429;retry-after=1;first=1", SUCCESS_AT_SECOND),
    both("hang", TOO_LATE),
    both("hang;first=1", SUCCESS_AT_SECOND),
    both("reset", FAILED),
    both("close", FAILED),
    each("hang-after=2", BROKEN_OFF, TOO_LATE),
    each("reset-after=2", BROKEN_OFF, FAILED),
    each("close-after=2", BROKEN_OFF, FAILED),
    both("cut-after=0", FAILED),
    each("malformed-after=2", BROKEN_OFF, FAILED),
    both("error-event-after=0;first=1", SUCCESS_AT_SECOND),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_there_once() {
        for case in FAULT_CASES {
            assert_eq!(FAULT_CASES.iter().filter(|other| other.fault == case.fault).count(), 1, "{}", case.fault);
            assert_eq!(FaultCase::of(case.fault), Some(&case));
        }
        assert_eq!(FaultCase::of("no such fault"), None);
    }

    #[test]
    fn a_failed_request_is_no_success_and_the_other_way_round() {
        for case in FAULT_CASES {
            for expected in [case.of_stream, case.of_whole] {
                let delivered = matches!(expected.outcome, Outcome::Success | Outcome::StreamError);
                assert_eq!(expected.status == 200, delivered, "{}: {expected:?}", case.fault);
                assert!((1..=2).contains(&expected.attempts), "{}: {expected:?}", case.fault);
            }
        }
    }
}
