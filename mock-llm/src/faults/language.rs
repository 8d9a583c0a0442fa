//! Fault rules: what they mean, and how they are written.

use std::fmt;
use std::time::Duration;

/// A fault rule: what goes wrong, and for which requests.
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
    /// Share of requests that it applies to, above 0 and up to 1.
    pub rate: f64,
    /// Applies only to this many requests after the rule was set. In a request's own header: to this many
    /// attempts with its `X-Request-ID`.
    pub first: Option<u64>,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request gets this in place of an answer.
    ReplaceAnswer(Replacement),
    /// The answer ends after this many tokens, when the next one would be due.
    EndAfter(u32, Ending),
    /// The response head is delayed by this much.
    SlowHeaders(Duration),
    /// The time between two tokens.
    Drip(Duration),
    /// Generation continues after the client disconnects, as with some vendors.
    IgnoreDisconnect,
}

/// What a request gets in place of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacement {
    /// An error with this status, and a `Retry-After` in seconds.
    Status(u16, Option<u32>),
    /// Nothing, until the client disconnects.
    Hang,
    /// A TCP reset.
    Reset,
    /// An orderly close of the connection.
    Close,
}

/// How an answer ends before its last token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// No more bytes, until the client disconnects.
    Hang,
    /// A TCP reset.
    Reset,
    /// The body ends as if it were complete, and the connection is closed: only `[DONE]` is missing.
    Close,
    /// The connection is closed in the middle of the body.
    Cut,
    /// An event that is not JSON, then the end.
    Malformed,
    /// An error event, then the end.
    ErrorEvent,
}

impl Fault {
    /// Its word in a rule.
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
