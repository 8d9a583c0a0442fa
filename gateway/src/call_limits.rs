//! The limits of a call: how long it may take, queue and be tried again, and how many there may be at once.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;
use resilience::{Backoff, InvalidSetting, LimitConflict, RetryBudget, RetryBudgetLimits, RetryPolicy};

use crate::values::{at_least_one, timeout};

/// The limits of a call to the vendor, in the order in which a request meets them.
#[derive(Debug, Clone, Args)]
pub struct CallLimits {
    /// How long a request may take in all; a stream, to its first token (504).
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = timeout, allow_hyphen_values = true)]
    pub sla: Duration,

    /// Calls to the vendor for one request, including the first.
    #[arg(long, default_value = "3", value_name = "N", allow_hyphen_values = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10))]
    pub attempts: u32,

    /// How much of the SLA must be left for another attempt: about the vendor's shortest response time.
    #[arg(long, default_value = "50ms", value_name = "TIME", value_parser = timeout, allow_hyphen_values = true)]
    pub min_attempt_time: Duration,

    /// Retries for every 100 requests of the last 10 s, over all requests: an outage should not triple the load.
    #[arg(long, default_value = "20", value_name = "PERCENT", allow_hyphen_values = true)]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=100))]
    pub retry_budget: u8,

    /// Retries per second that need no budget: without them a server with few requests has none.
    #[arg(long, default_value = "3", value_name = "N", allow_hyphen_values = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub retry_reserve: u32,

    /// Requests that may wait for a permit; more are rejected at once (429).
    #[arg(long, default_value = "1000", value_name = "N", allow_hyphen_values = true)]
    pub max_queued: usize,

    /// How long a request may wait for a permit (504); if the predicted wait is longer, it is rejected at once (429).
    /// Covers the wait, not the call.
    #[arg(long, default_value = "5s", value_name = "TIME", value_parser = timeout, allow_hyphen_values = true)]
    pub queue_timeout: Duration,

    /// Calls to the vendor at the same time; more wait in the queue.
    #[arg(long, default_value = "10000", value_name = "N", value_parser = at_least_one, allow_hyphen_values = true)]
    pub max_in_flight: NonZeroUsize,

    /// How long a whole call may take (502).
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = timeout, allow_hyphen_values = true)]
    pub call_timeout: Duration,
}

impl CallLimits {
    /// Checks the relations: queue < call < SLA, and the attempts within the SLA.
    ///
    /// # Errors
    /// [`LimitConflict`], which names the flags.
    pub fn check(&self) -> Result<(), LimitConflict> {
        let queue = ("--queue-timeout", self.queue_timeout);
        let call = ("--call-timeout", self.call_timeout);
        let sla = ("--sla", self.sla);
        LimitConflict::require_less(queue, call, "a request should not queue longer than a call may take")?;
        LimitConflict::require_less(call, sla, "otherwise the SLA ends a call before its own limit can")?;
        let (attempts, each) = (("--attempts", self.attempts), ("--min-attempt-time", self.min_attempt_time));
        LimitConflict::require_attempts_fit(attempts, each, sla)
    }

    /// How calls are tried again. Its budget is for all calls together, so there should be one policy.
    ///
    /// # Errors
    /// [`InvalidSetting`] for a budget that cannot be kept; the flags allow none.
    pub fn retry_policy(&self) -> Result<RetryPolicy, InvalidSetting> {
        let budget = RetryBudget::new(RetryBudgetLimits {
            share_percent: self.retry_budget,
            reserve_per_second: self.retry_reserve,
            ..RetryBudgetLimits::default()
        })?;
        let (attempts, min_attempt_time) = (self.attempts, self.min_attempt_time);
        Ok(RetryPolicy { attempts, min_attempt_time, backoff: Backoff::default(), budget })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Flags {
        #[command(flatten)]
        limits: CallLimits,
    }

    /// Those that are read and fit together.
    fn read(args: &[&str]) -> Result<CallLimits, String> {
        let flags = Flags::try_parse_from([&["program"], args].concat()).map_err(|error| error.to_string())?;
        flags.limits.check().map_err(|error| error.to_string())?;
        Ok(flags.limits)
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
            (["--retry-reserve", "-1"], ["--retry-reserve", "0..=1000"]),
        ] {
            let message = read(&args).unwrap_err();
            assert!(named.iter().all(|name| message.contains(name)), "{args:?}: {message}");
        }
    }

    #[test]
    fn limits_that_conflict_are_both_named() {
        for (args, named) in [
            (["--queue-timeout", "30s"], ["--queue-timeout (30s)", "--call-timeout (30s)"]),
            (["--call-timeout", "60s"], ["--call-timeout (60s)", "--sla (60s)"]),
            (["--min-attempt-time", "21s"], ["--attempts (3) of --min-attempt-time (21s)", "--sla (60s)"]),
        ] {
            let message = read(&args).unwrap_err();
            assert!(named.iter().all(|name| message.contains(name)), "{args:?}: {message}");
        }
    }

    #[test]
    fn the_retry_policy_is_that_of_the_flags() {
        let flags = ["--attempts", "2", "--min-attempt-time", "1s", "--retry-budget", "0", "--retry-reserve", "1"];
        let policy = read(&flags).unwrap().retry_policy().unwrap();
        assert_eq!((policy.attempts, policy.min_attempt_time), (2, Duration::from_secs(1)));
        assert_eq!((0..20).filter(|_| policy.budget.try_retry()).count(), 10, "one a second, for ten seconds");
    }
}
