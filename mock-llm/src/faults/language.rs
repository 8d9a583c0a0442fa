//! The fault language: what its rules mean.

use std::fmt;
use std::time::Duration;

/// One rule of the fault language: what goes wrong, and for which requests.
///
/// ```
/// use mock_llm::faults::Rule;
///
/// let rule: Rule = "status=429;retry-after=2;rate=0.3".parse()?;
/// assert_eq!(rule.rate, 0.3);
/// assert_eq!(rule.to_string(), "status=429;retry-after=2;rate=0.3");
///
/// let error = "status=429;rat=0.3".parse::<Rule>().unwrap_err();
/// assert_eq!(error.to_string(), "in 'status=429;rat=0.3': unknown word 'rat', expected retry-after, rate or first");
/// # Ok::<(), mock_llm::faults::FaultError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// What goes wrong.
    pub fault: Fault,
    /// The share of requests that it happens to, over 0 to 1.
    pub rate: f64,
    /// Only this many requests are looked at, from when the rule was set on. In a request's own
    /// header: only this many attempts with its `X-Request-ID`.
    pub first: Option<u64>,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The model is not asked at all.
    ReplaceAnswer(Replacement),
    /// The answer ends after so many tokens, in place of the next one.
    EndAfter(u32, Ending),
    /// The response's head is late by so much.
    SlowHeaders(Duration),
    /// So much time passes between two tokens.
    Drip(Duration),
    /// Generation goes on when the client has left, as with some vendors.
    IgnoreDisconnect,
}

/// What a request gets instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacement {
    /// An error of this status, with a `Retry-After` of so many seconds.
    Status(u16, Option<u32>),
    /// Nothing, until the client leaves.
    Hang,
    /// A TCP reset.
    Reset,
    /// An orderly end of the connection.
    Close,
}

/// How an answer ends that does not end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Silence, until the client leaves.
    Hang,
    /// A TCP reset.
    Reset,
    /// The body ends as if it were whole, and the connection with it: only `[DONE]` is missing.
    Close,
    /// The connection ends in mid-body.
    Cut,
    /// An event that is no JSON, then the end.
    Malformed,
    /// An error as an event, then the end.
    ErrorEvent,
}

impl Fault {
    /// The word for it in the language.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Fault::ReplaceAnswer(Replacement::Status(..)) => "status",
            Fault::ReplaceAnswer(Replacement::Hang) => "hang",
            Fault::ReplaceAnswer(Replacement::Reset) => "reset",
            Fault::ReplaceAnswer(Replacement::Close) => "close",
            Fault::EndAfter(_, Ending::Hang) => "hang-after",
            Fault::EndAfter(_, Ending::Reset) => "reset-after",
            Fault::EndAfter(_, Ending::Close) => "close-after",
            Fault::EndAfter(_, Ending::Cut) => "cut-after",
            Fault::EndAfter(_, Ending::Malformed) => "malformed-after",
            Fault::EndAfter(_, Ending::ErrorEvent) => "error-event-after",
            Fault::SlowHeaders(_) => "slow-headers",
            Fault::Drip(_) => "drip",
            Fault::IgnoreDisconnect => "ignore-disconnect",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.fault.name())?;
        match self.fault {
            Fault::ReplaceAnswer(Replacement::Status(status, None)) => write!(f, "={status}")?,
            Fault::ReplaceAnswer(Replacement::Status(status, Some(seconds))) => {
                write!(f, "={status};retry-after={seconds}")?
            }
            Fault::EndAfter(tokens, _) => write!(f, "={tokens}")?,
            Fault::SlowHeaders(delay) | Fault::Drip(delay) => write!(f, "={}", humantime::format_duration(delay))?,
            Fault::ReplaceAnswer(_) | Fault::IgnoreDisconnect => {}
        }
        if self.rate < 1.0 {
            write!(f, ";rate={}", self.rate)?;
        }
        self.first.map_or(Ok(()), |first| write!(f, ";first={first}"))
    }
}
