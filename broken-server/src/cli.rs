//! The command line: which mistake runs, and which flags it accepts.

use std::ffi::OsString;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser};
use gateway::{CallLimits, CallQuota, EarlyKeepAlive, PerUserLimits};
use program::environment::with_variables;

use crate::mistake::{Group, Mistake};
use crate::registry::{self, mistakes};
use crate::settings::Settings;

/// An actix-web server that is wrong on purpose, in exactly one named way at a time.
#[derive(Debug, Clone, Parser)]
#[command(name = "broken-server", version)]
pub struct Cli {
    /// The mistake to run; `none` is the control. --list shows all.
    #[arg(long, default_value = registry::DEFAULT, value_name = "NAME")]
    #[arg(value_parser = registry::find)]
    pub mistake: &'static Mistake,

    /// List the mistakes with their symptoms, and exit.
    #[arg(long)]
    pub list: bool,

    /// With --list: only the mistakes of this part of the workshop.
    #[arg(long, requires = "list", value_enum, value_name = "GROUP")]
    pub group: Option<Group>,

    /// The flags of all mistakes.
    #[command(flatten)]
    pub settings: Settings,
}

impl Cli {
    /// Reads flags and environment.
    ///
    /// # Errors
    /// A message for the command line: a bad flag or value, a flag that the mistake does not use, or two limits that
    /// conflict.
    pub fn read<I, T>(args: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator<Item = T>,
        T: Into<OsString> + Clone,
    {
        let mut command = with_variables(Cli::command());
        let given = command.try_get_matches_from_mut(args)?;
        let mut cli = Cli::from_arg_matches(&given)?;
        cli.check(&given).map_err(|error| command.error(ErrorKind::ValueValidation, error))?;
        let by_default = |id| given.value_source(id) == Some(ValueSource::DefaultValue);
        if by_default("blocking_threads") {
            cli.settings.blocking_threads = cli.mistake.blocking_threads;
        }
        if let (true, Some(own)) = (by_default("keep_alive_timeout"), cli.mistake.keep_alive_timeout) {
            cli.settings.keep_alive_timeout = own;
        }
        Ok(cli)
    }

    fn check(&self, given: &ArgMatches) -> Result<(), String> {
        for id in mistakes().flat_map(|mistake| mistake.own_flags) {
            reject_unless_used(id, self.mistake, given, |mistake| mistake.own_flags.contains(id))?;
        }
        self.settings.own.check()?;
        let limits = CallQuota::augment_args(CallLimits::augment_args(Command::new("limits")));
        let limits = PerUserLimits::augment_args(EarlyKeepAlive::augment_args(limits));
        for limit in limits.get_arguments() {
            reject_unless_used(limit.get_id().as_str(), self.mistake, given, |mistake| mistake.limits)?;
        }
        let Settings { limits, quota, users, database, upstream_limits, early_keep_alive, .. } = &self.settings;
        let limits = limits
            .check()
            .and_then(|()| quota.check())
            .and_then(|()| users.check(limits))
            .and_then(|()| database.check(limits))
            .and_then(|()| early_keep_alive.check(upstream_limits.first_token_timeout));
        limits.map_err(|error| error.to_string())?;
        match ((self.mistake.worker_timeout)(&self.settings)?, self.settings.workers) {
            (Some(_), workers @ 2..) => {
                Err(format!("--workers ({workers}) must be 1 under a watchdog: it watches one event loop"))
            }
            _ => Ok(()),
        }
    }

    /// How long a worker process may be silent before its watchdog kills it; `None` without a watchdog.
    #[must_use]
    pub fn worker_timeout(&self) -> Option<Duration> {
        // An error has been reported when the flags were read.
        (self.mistake.worker_timeout)(&self.settings).ok().flatten()
    }
}

/// Rejects the flag with this id in clap if it was `given` and `running` does not use it: a user would believe that
/// it has an effect.
///
/// # Errors
/// A message for the command line.
fn reject_unless_used(
    id: &str,
    running: &Mistake,
    given: &ArgMatches,
    uses: impl Fn(&Mistake) -> bool,
) -> Result<(), String> {
    let default = matches!(given.value_source(id), None | Some(ValueSource::DefaultValue));
    if default || uses(running) {
        return Ok(());
    }
    let users: Vec<_> = mistakes().filter(|mistake| uses(mistake)).map(|mistake| mistake.name).collect();
    let value = given.get_raw(id).into_iter().flatten().next().unwrap_or_default().to_string_lossy();
    let (flag, users, running) = (id.replace('_', "-"), users.join(", "), running.name);
    Err(format!("--{flag} {value} is for --mistake {users} only, and this is --mistake {running}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mistake: &str, args: &[&str]) -> Result<Cli, String> {
        let program = &["broken-server", "--mistake", mistake][..];
        Cli::read([program, args].concat()).map_err(|error| error.to_string())
    }

    #[test]
    fn limits_are_rejected_by_mistakes_without_limits() {
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
            ("--rate-limit", "60/1m"),
            ("--model-rate-limit", "m=60/1m"),
            ("--user-rate-limit", "60/1m"),
            ("--user-max-in-flight", "10"),
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
    fn limits_that_conflict_are_rejected() {
        let message = read("none", &["--queue-timeout", "30s"]).err().unwrap();
        assert!(message.contains("--queue-timeout (30s) must be less than --call-timeout (30s)"), "{message}");
        let message = read("none", &["--user-max-in-flight", "20000"]).err().unwrap();
        assert!(message.contains("--user-max-in-flight (20000) must be at most --max-in-flight"), "{message}");
        let message = read("none", &["--database-acquire-timeout", "60s"]).err().unwrap();
        assert!(message.contains("--database-acquire-timeout (60s) must be less than --sla (60s)"), "{message}");
        let message = read("none", &["--rate-limit", "60/1m", "--rate-burst", "60"]).err().unwrap();
        assert!(
            message.contains("--rate-burst (60) must be less than the amount of --rate-limit (60/1m)"),
            "{message}"
        );
    }
}
