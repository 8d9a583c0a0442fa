//! Flags for one mistake only.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::{Args, ValueEnum};
use gateway::values::{at_least_one, time, timeout};

use super::CauseFlags;

/// Flags for one mistake only. They are rejected when another mistake runs.
#[derive(Debug, Clone, Args)]
pub struct OwnFlags {
    /// Only with --mistake rollout: how many of any 100 streams in a row are read asynchronously. Can be changed at
    /// /debug/rollout.
    #[arg(long, default_value_t = 0, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=100), allow_hyphen_values = true)]
    pub rollout_percent: u8,

    /// Only with --mistake coordinated-omission: the time from one stall of each worker's event loop to the next.
    #[arg(long, default_value = "10s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub stall_every: Duration,

    /// Only with --mistake coordinated-omission: how long each stall lasts; less than --stall-every.
    #[arg(long, default_value = "2s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub stall_for: Duration,

    /// Only with --mistake readiness-cascade: count the calls of this time as recent (1s to 10min) [default: the last 20
    /// calls, whenever they were].
    #[arg(long, value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub error_window: Option<Duration>,

    /// Only with --mistake stacked-retries: a random time up to this is added to each wait before a retry.
    #[arg(long, default_value = "0s", value_name = "TIME")]
    #[arg(value_parser = time, allow_hyphen_values = true)]
    pub retry_jitter: Duration,

    /// Only with --mistake limiter-inside-permit: which of the two limits a call waits for first, and has while it waits for
    /// the other.
    #[arg(long, default_value = "permit", value_name = "WHAT")]
    pub waits_first_for: FirstLimit,

    /// Only with --mistake no-deadline: end a request after --sla all the same, by a timeout around all of its steps, which
    /// do not know of it.
    #[arg(long)]
    pub outer_timeout: bool,

    /// Only with --mistake buffered-stream: what the layer around all handlers does with answers.
    #[arg(long, default_value = "gzip", value_name = "WHAT")]
    pub layer: Layer,

    /// Only with --mistake client-pool: connections that the vendor's client opens at most, and so calls at once.
    #[arg(long, default_value = "100", value_name = "N", value_parser = at_least_one, allow_hyphen_values = true)]
    pub client_connections: NonZeroUsize,

    /// Only with --mistake client-pool: how long a call may wait for one of these connections.
    #[arg(long, default_value = "5s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub client_pool_timeout: Duration,

    /// Only with --mistake db-held-during-call: how long a stream holds its connection to the database.
    #[arg(long, default_value = "call", value_name = "WHEN")]
    pub connection_until: ConnectionUntil,

    /// Only with --mistake undrained-shutdown: what SIGINT or SIGTERM does with the streams that are open.
    #[arg(long, default_value = "close", value_name = "WHAT")]
    pub on_stop: OnStop,

    /// Flags for the mistake rapid-sequence.
    #[command(flatten)]
    pub rapid_sequence: CauseFlags,
}

/// The first of two limits in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FirstLimit {
    /// The permit, and then the rate.
    Permit,
    /// The rate, and then the permit.
    Rate,
}

/// What a layer around all handlers does with answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Layer {
    /// Compress them for clients that accept gzip.
    Gzip,
    /// Write a log of them, each as a whole.
    Log,
}

/// What a stop does with the streams that are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnStop {
    /// Close their connections.
    Close,
    /// Wait for their end.
    Wait,
}

/// How long a stream holds a connection to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConnectionUntil {
    /// Until its first token.
    Call,
    /// Until its body has been sent.
    Body,
}

impl OwnFlags {
    /// Checks the relations between the flags.
    ///
    /// # Errors
    /// A message for the command line.
    pub(crate) fn check(&self) -> Result<(), String> {
        let (length, every) = (self.stall_for, self.stall_every);
        if length >= every {
            return Err(format!("--stall-for ({length:?}) must be less than --stall-every ({every:?})"));
        }
        self.rapid_sequence.check()
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::Cli;

    fn read(args: &[&str]) -> Result<Cli, String> {
        Cli::read([&["broken-server"], args].concat()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_flag_of_another_mistake_is_rejected_and_both_are_named() {
        for (args, owner) in [
            (["--rollout-percent", "20"], "--mistake rollout"),
            (["--stall-every", "5s"], "--mistake coordinated-omission"),
            (["--stall-for", "1s"], "--mistake coordinated-omission"),
            (["--on-stop", "wait"], "--mistake undrained-shutdown"),
            (["--causes", "client"], "--mistake rapid-sequence"),
            (["--vendor-timeout", "1s"], "--mistake rapid-sequence"),
            (["--pool-timeout", "1s"], "--mistake rapid-sequence"),
            (["--retry-jitter", "1s"], "--mistake stacked-retries"),
            (["--waits-first-for", "rate"], "--mistake limiter-inside-permit"),
            (["--layer", "log"], "--mistake buffered-stream"),
            (["--client-connections", "10"], "--mistake client-pool"),
            (["--client-pool-timeout", "1s"], "--mistake client-pool"),
            (["--connection-until", "body"], "--mistake db-held-during-call"),
        ] {
            for running in ["none", "pool-exhaustion"] {
                let message = read(&[&["--mistake", running], &args[..]].concat()).err().unwrap();
                for named in [&args.join(" "), owner, &format!("--mistake {running}")] {
                    assert!(message.contains(named), "{message}");
                }
            }
        }
    }

    #[test]
    fn a_time_of_a_cause_needs_the_cause() {
        let with = |args: &[&str]| read(&[&["--mistake", "rapid-sequence"], args].concat());
        assert!(with(&["--vendor-timeout", "1s", "--pool-timeout", "1s", "--worker-timeout", "1s"]).is_ok());
        for (flag, cause) in
            [("--vendor-timeout", "timeout"), ("--pool-timeout", "database"), ("--worker-timeout", "watchdog")]
        {
            let message = with(&["--causes", "client", flag, "1s"]).err().unwrap();
            assert!(
                message.contains(&format!("{flag} (1s) is for the cause {cause}, and --causes is client")),
                "{message}"
            );
        }
    }

    #[test]
    fn a_flag_of_the_running_mistake_is_checked() {
        assert_eq!(
            read(&["--mistake", "rollout", "--rollout-percent", "20"]).unwrap().settings.own.rollout_percent,
            20
        );
        let stalling = ["--mistake", "coordinated-omission"];
        assert!(read(&[&stalling[..], &["--stall-every", "5s", "--stall-for", "1s"]].concat()).is_ok());
        for (args, named) in [
            (["rollout", "--rollout-percent", "101"], ["--rollout-percent", "0..=100"]),
            (["rollout", "--rollout-percent", "-1"], ["--rollout-percent", "0..=100"]),
            (["coordinated-omission", "--stall-for", "10s"], ["--stall-for (10s)", "--stall-every (10s)"]),
            (["coordinated-omission", "--stall-every", "0s"], ["--stall-every", "over zero"]),
            (["client-pool", "--client-connections", "0"], ["--client-connections", "from 1"]),
            (["client-pool", "--client-pool-timeout", "0s"], ["--client-pool-timeout", "over zero"]),
            (["rapid-sequence", "--causes", "clients"], ["--causes", "did you mean 'client'?"]),
        ] {
            let message = read(&[&["--mistake"], &args[..]].concat()).err().unwrap();
            assert!(named.iter().all(|name| message.contains(name)), "{args:?}: {message}");
        }
    }
}
