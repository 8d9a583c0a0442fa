//! The limits, as fixed-server has them.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;
use resilience::LimitConflict;

use super::values::timeout;

/// The limits of a call, with the names, defaults and bounds that they have in fixed-server. They are
/// refused when a mistake runs that has none.
///
/// They are in the order in which a request meets them.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits, where the mistake has any (`none` has)")]
pub struct CallLimits {
    /// How long a request may take in all; a stream, to its first token (504).
    #[arg(long, env = "BROKEN_SERVER_SLA", default_value = "60s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub sla: Duration,

    /// Calls to the vendor for one request, the first among them.
    #[arg(long, env = "BROKEN_SERVER_ATTEMPTS", default_value = "3", value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10), allow_hyphen_values = true)]
    pub attempts: u32,

    /// What must be left of the SLA for another attempt to be worth it.
    #[arg(long, env = "BROKEN_SERVER_MIN_ATTEMPT_TIME", default_value = "50ms", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub min_attempt_time: Duration,

    /// Retries for every 100 requests of the last 10 s, over all requests.
    #[arg(long, env = "BROKEN_SERVER_RETRY_BUDGET", default_value = "20", value_name = "PERCENT")]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=100), allow_hyphen_values = true)]
    pub retry_budget: u8,

    /// Retries each second that need no budget.
    #[arg(long, env = "BROKEN_SERVER_RETRY_RESERVE", default_value = "3", value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=1000), allow_hyphen_values = true)]
    pub retry_reserve: u32,

    /// Requests that may wait for their turn; more are refused at once (429).
    #[arg(long, env = "BROKEN_SERVER_MAX_QUEUED", default_value = "1000", value_name = "N")]
    #[arg(allow_hyphen_values = true)]
    pub max_queued: usize,

    /// How long a request may wait for its turn (504); who would wait longer is refused at once (429).
    #[arg(long, env = "BROKEN_SERVER_QUEUE_TIMEOUT", default_value = "5s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub queue_timeout: Duration,

    /// Calls to the vendor at once, over all workers; more wait in the queue.
    #[arg(long, env = "BROKEN_SERVER_MAX_IN_FLIGHT", default_value = "10000", value_name = "N")]
    #[arg(value_parser = at_least_one, allow_hyphen_values = true)]
    pub max_in_flight: NonZeroUsize,

    /// How long a whole call may take (502).
    #[arg(long, env = "BROKEN_SERVER_CALL_TIMEOUT", default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub call_timeout: Duration,
}

impl CallLimits {
    /// Checks the relations between the limits.
    ///
    /// # Errors
    /// The first two limits that contradict each other.
    pub(crate) fn check(&self) -> Result<(), LimitConflict> {
        let queue = ("--queue-timeout", self.queue_timeout);
        let call = ("--call-timeout", self.call_timeout);
        let sla = ("--sla", self.sla);
        let less = LimitConflict::require_less;
        less(queue, call, "who waits longer for a turn than a turn takes had better be refused")?;
        less(call, sla, "else the SLA ends a call before its own limit can")?;
        let (attempts, each) = (("--attempts", self.attempts), ("--min-attempt-time", self.min_attempt_time));
        LimitConflict::require_attempts_fit(attempts, each, sla)
    }
}

fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected a whole number from 1".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::cli::Cli;

    fn read(mistake: &str, args: &[&str]) -> Result<Cli, String> {
        let program = &["broken-server", "--mistake", mistake][..];
        Cli::read([program, args].concat()).map_err(|error| error.to_string())
    }

    #[test]
    fn every_limit_is_refused_where_there_are_none() {
        for (flag, value) in [
            ("--sla", "61s"),
            ("--attempts", "2"),
            ("--min-attempt-time", "1s"),
            ("--retry-budget", "10"),
            ("--retry-reserve", "1"),
            ("--max-queued", "10"),
            ("--queue-timeout", "1s"),
            ("--max-in-flight", "10"),
            ("--call-timeout", "20s"),
        ] {
            assert!(read("none", &[flag, value]).is_ok(), "{flag}");
            for mistake in ["pool-exhaustion", "coordinated-omission", "rollout"] {
                let message = read(mistake, &[flag, value]).err().unwrap();
                let named = [format!("{flag} {value}"), "--mistake none".into(), format!("--mistake {mistake}")];
                assert!(named.iter().all(|name| message.contains(name)), "{message}");
            }
        }
    }

    #[test]
    fn a_bad_value_names_its_flag_and_what_is_allowed() {
        for (args, named) in [
            (["--max-in-flight", "0"], ["--max-in-flight", "from 1"]),
            (["--max-in-flight", "-1"], ["--max-in-flight", "from 1"]),
            (["--max-queued", "-1"], ["--max-queued", "-1"]),
            (["--queue-timeout", "0s"], ["--queue-timeout", "over zero"]),
            (["--call-timeout", "9999y"], ["--call-timeout", "at most 1day"]),
            (["--sla", "soon"], ["--sla", "250ms or 5s"]),
            (["--attempts", "0"], ["--attempts", "1..=10"]),
            (["--attempts", "11"], ["--attempts", "1..=10"]),
            (["--retry-budget", "101"], ["--retry-budget", "0..=100"]),
        ] {
            let message = read("none", &args).err().unwrap();
            assert!(named.iter().all(|name| message.contains(name)), "{args:?}: {message}");
        }
    }

    #[test]
    fn limits_that_contradict_each_other_are_both_named() {
        for (args, named) in [
            (["--queue-timeout", "30s"], ["--queue-timeout (30s)", "--call-timeout (30s)"]),
            (["--call-timeout", "60s"], ["--call-timeout (60s)", "--sla (60s)"]),
            (["--min-attempt-time", "21s"], ["--attempts (3) of --min-attempt-time (21s)", "--sla (60s)"]),
        ] {
            let message = read("none", &args).err().unwrap();
            assert!(named.iter().all(|name| message.contains(name)), "{args:?}: {message}");
        }
    }
}
