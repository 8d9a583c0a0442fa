//! Flags that one mistake uses and no other.

use std::time::Duration;

use clap::Args;
use gateway::values::timeout;

/// Flags that one mistake uses and no other. They are refused when another mistake runs: a flag that
/// is taken and then does nothing would be believed.
#[derive(Debug, Clone, Args)]
pub struct OwnFlags {
    /// Mistake `rollout` only: of any 100 streams in a row, how many take the asynchronous way. It can
    /// be changed at /debug/rollout.
    #[arg(long, default_value_t = 0, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=100), allow_hyphen_values = true)]
    pub rollout_percent: u8,

    /// Mistake `coordinated-omission` only: from one stall of each worker's event loop to the next.
    #[arg(long, default_value = "10s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub stall_every: Duration,

    /// Mistake `coordinated-omission` only: how long each stall lasts; less than --stall-every.
    #[arg(long, default_value = "2s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub stall_for: Duration,
}

impl OwnFlags {
    /// Checks the relations between the flags.
    ///
    /// # Errors
    /// A text for the command line.
    pub(crate) fn check(&self) -> Result<(), String> {
        let (length, every) = (self.stall_for, self.stall_every);
        if length < every {
            return Ok(());
        }
        Err(format!("--stall-for ({length:?}) must be less than --stall-every ({every:?})"))
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::Cli;

    fn read(args: &[&str]) -> Result<Cli, String> {
        Cli::read([&["broken-server"], args].concat()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_flag_of_another_mistake_is_refused_and_both_are_named() {
        for (args, owner) in [
            (["--rollout-percent", "20"], "--mistake rollout"),
            (["--stall-every", "5s"], "--mistake coordinated-omission"),
            (["--stall-for", "1s"], "--mistake coordinated-omission"),
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
    fn its_own_mistake_takes_it_within_bounds() {
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
        ] {
            let message = read(&[&["--mistake"], &args[..]].concat()).err().unwrap();
            assert!(named.iter().all(|name| message.contains(name)), "{args:?}: {message}");
        }
    }
}
