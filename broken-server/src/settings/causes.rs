//! The causes that source 002 names, each of which can be switched on alone.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use gateway::values::timeout;
use program::suggestion::did_you_mean;

/// One of the five causes that source 002 names for its failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A watchdog kills workers that are silent.
    Watchdog,
    /// Each call holds a connection of a small pool.
    Database,
    /// Each call has an HTTP client of its own.
    Client,
    /// The vendor's whole answer must come within a time.
    Timeout,
    /// Calls go out as they come, whatever the vendor allows.
    Throttling,
}

/// Some of the causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Causes(Vec<Cause>);

/// Flags for the mistake `rapid-sequence`.
#[derive(Debug, Clone, Args)]
pub struct CauseFlags {
    /// Only with --mistake rapid-sequence: which of the source's causes are there, as a list; none for none of them.
    #[arg(long, default_value_t = Causes::all(), value_name = "LIST", allow_hyphen_values = true)]
    pub causes: Causes,

    /// Only with --mistake rapid-sequence and the cause timeout: how long the vendor's whole answer may take.
    /// [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = timeout, allow_hyphen_values = true)]
    pub vendor_timeout: Option<Duration>,

    /// Only with --mistake rapid-sequence and the cause database: how long a call waits for a connection. [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = timeout, allow_hyphen_values = true)]
    pub pool_timeout: Option<Duration>,
}

impl CauseFlags {
    /// Checks that the cause of each time is there.
    ///
    /// # Errors
    /// A message for the command line.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.require(Cause::Timeout, "--vendor-timeout", self.vendor_timeout)?;
        self.require(Cause::Database, "--pool-timeout", self.pool_timeout)
    }

    /// Checks that `cause` is there if its flag was `given`: a user would believe that it has an effect.
    ///
    /// # Errors
    /// A message for the command line.
    pub(crate) fn require(&self, cause: Cause, flag: &str, given: Option<Duration>) -> Result<(), String> {
        match given {
            Some(given) if !self.causes.include(cause) => Err(format!(
                "{flag} ({given:?}) is for the cause {}, and --causes is {}",
                Causes(vec![cause]),
                self.causes
            )),
            _ => Ok(()),
        }
    }
}

/// What the list may have, in the order of the source.
const NAMES: [(&str, Cause); 5] = [
    ("watchdog", Cause::Watchdog),
    ("database", Cause::Database),
    ("client", Cause::Client),
    ("timeout", Cause::Timeout),
    ("throttling", Cause::Throttling),
];

/// An empty list.
const NONE: &str = "none";

impl Causes {
    /// All five.
    #[must_use]
    pub fn all() -> Self {
        Causes(NAMES.iter().map(|(_, cause)| *cause).collect())
    }

    /// Whether `cause` is among them.
    #[must_use]
    pub fn include(&self, cause: Cause) -> bool {
        self.0.contains(&cause)
    }
}

impl FromStr for Causes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == NONE {
            return Ok(Causes(Vec::new()));
        }
        let cause = |word: &str| {
            let known = NAMES.iter().find(|(name, _)| *name == word).map(|(_, cause)| *cause);
            known.ok_or_else(|| {
                let meant = did_you_mean(word, NAMES.iter().map(|(name, _)| *name)).unwrap_or_default();
                format!("there is no cause '{word}'{meant} Expected {NONE}, or some of {}", Causes::all())
            })
        };
        text.split(',').map(cause).collect::<Result<_, _>>().map(Causes)
    }
}

impl fmt::Display for Causes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = NAMES.iter().filter(|(_, cause)| self.include(*cause)).map(|(name, _)| *name).collect();
        f.write_str(&if names.is_empty() { NONE.to_owned() } else { names.join(",") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_read_and_written_as_a_list() {
        assert_eq!("none".parse(), Ok(Causes(Vec::new())));
        assert_eq!("timeout,watchdog".parse::<Causes>().unwrap().to_string(), "watchdog,timeout");
        assert_eq!(Causes::all().to_string().parse(), Ok(Causes::all()));
        for (text, named) in [("watchdgo", "did you mean 'watchdog'?"), ("", "''"), ("none,client", "'none'")] {
            let error = text.parse::<Causes>().unwrap_err();
            assert!(error.contains(named) && error.contains("watchdog,database,client,timeout,throttling"), "{error}");
        }
    }
}
