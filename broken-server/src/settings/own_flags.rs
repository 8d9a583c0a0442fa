//! Flags that one mistake uses and no other.

use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args};

use super::parse_timeout;
use crate::registry::Mistake;

/// Flags that one mistake uses and no other. They are refused when another mistake runs: a flag that
/// is taken and then does nothing would be believed.
#[derive(Debug, Clone, Args)]
pub struct OwnFlags {
    /// Mistake `rollout` only: of any 100 streams in a row, how many take the asynchronous way. It can
    /// be changed at /debug/rollout.
    #[arg(long, env = "BROKEN_SERVER_ROLLOUT_PERCENT", default_value_t = 0, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=100), allow_hyphen_values = true)]
    pub rollout_percent: u8,

    /// Mistake `coordinated-omission` only: from one stall of each worker's event loop to the next.
    #[arg(long, env = "BROKEN_SERVER_STALL_EVERY", default_value = "10s", value_name = "TIME")]
    #[arg(value_parser = parse_timeout, allow_hyphen_values = true)]
    pub stall_every: Duration,

    /// Mistake `coordinated-omission` only: how long each stall lasts; less than --stall-every.
    #[arg(long, env = "BROKEN_SERVER_STALL_FOR", default_value = "2s", value_name = "TIME")]
    #[arg(value_parser = parse_timeout, allow_hyphen_values = true)]
    pub stall_for: Duration,
}

/// Each flag by its name in clap, and the mistake that uses it.
const OWNERS: [(&str, &str); 3] =
    [("rollout_percent", "rollout"), ("stall_every", "coordinated-omission"), ("stall_for", "coordinated-omission")];

impl OwnFlags {
    /// Checks that `mistake` uses the flags that were `given`, and that they fit together.
    ///
    /// # Errors
    /// A text for the command line.
    pub(super) fn check(&self, mistake: &Mistake, given: &ArgMatches) -> Result<(), String> {
        for (id, owner) in OWNERS {
            refuse(id, &[owner], mistake, given)?;
        }
        if self.stall_for >= self.stall_every {
            let (length, every) = (self.stall_for, self.stall_every);
            return Err(format!("--stall-for ({length:?}) must be less than --stall-every ({every:?})"));
        }
        Ok(())
    }
}

/// Refuses the flag of this name in clap if it was `given` and `mistake` is none of its `users`.
///
/// # Errors
/// A text for the command line.
pub(super) fn refuse(id: &str, users: &[&str], mistake: &Mistake, given: &ArgMatches) -> Result<(), String> {
    let default = matches!(given.value_source(id), None | Some(ValueSource::DefaultValue));
    if default || users.contains(&mistake.name) {
        return Ok(());
    }
    let value = given.get_raw(id).into_iter().flatten().next().unwrap_or_default().to_string_lossy();
    let (flag, users, running) = (id.replace('_', "-"), users.join(", "), mistake.name);
    Err(format!("--{flag} {value} is for --mistake {users} only, and this is --mistake {running}"))
}

#[cfg(test)]
mod tests {
    use super::super::Settings;

    fn read(args: &[&str]) -> Result<Settings, String> {
        Settings::read([&["broken-server"], args].concat()).map_err(|error| error.to_string())
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
        assert_eq!(read(&["--mistake", "rollout", "--rollout-percent", "20"]).unwrap().own.rollout_percent, 20);
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
