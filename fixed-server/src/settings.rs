//! Flags, their checks, and the environment variables of the same names.

mod database;
mod limits;
mod origin;
mod relations;
mod upstream;

use std::net::SocketAddr;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, Parser};
use gateway::values::{OrOff, timeout_or_off};
use gateway::{Confidential, KeyHash, UpstreamUrl};
use program::environment::with_variables;
use program::logs::{LogFilter, LogFormat};

pub use database::DatabaseSettings;
pub use limits::Limits;
pub use origin::Origin;
pub use upstream::UpstreamKey;

use self::upstream::parse_upstream;
use crate::commands::Command;
use crate::sessions::SessionOptions;

/// The same chat API as broken-server, done right.
#[derive(Debug, Clone, Parser)]
#[command(name = "fixed-server", version, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Settings {
    /// What to do. Default: serve.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1:8001", value_name = "ADDR")]
    pub listen: SocketAddr,

    /// The vendor, over http or https, with or without /v1 at the end. It is called over HTTP/1.1.
    #[arg(long, default_value = "http://127.0.0.1:9000", value_name = "URL")]
    #[arg(value_parser = parse_upstream)]
    pub upstream: UpstreamUrl,

    /// This server's key at the vendor, sent as a bearer token with every call. A client's own key is never
    /// passed on. Prefer the environment variable: other users of this machine can read a program's arguments.
    #[arg(long, value_name = "KEY")]
    #[arg(hide_env_values = true, value_parser = Confidential(UpstreamKey::parse))]
    pub upstream_api_key: Option<UpstreamKey>,

    /// Threads that run the event loop. One is enough for thousands of streams. More cost wake-ups between them, and
    /// help only when one is busy all the time.
    #[arg(long, default_value = "1", value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=512), allow_hyphen_values = true)]
    pub worker_threads: u16,

    /// Run the server as a worker process under a watchdog, which kills it when its event loop has sent no heartbeat for
    /// this long and starts another, as gunicorn does; `off` for none. With several --worker-threads, one that is not
    /// blocked is enough.
    #[arg(long, default_value = "off", value_name = "TIME")]
    #[arg(value_parser = timeout_or_off, allow_hyphen_values = true)]
    pub worker_timeout: OrOff<Duration>,

    /// A first key for clients of /v1, named `demo`. It is added at the start, but only to a database that has never
    /// had a key. May be repeated: the next ones are named `demo-2`, `demo-3`.
    #[arg(long = "api-key", default_value = "demo-key", value_name = "KEY")]
    #[arg(hide_env_values = true, value_parser = Confidential(KeyHash::parse))]
    pub api_keys: Vec<KeyHash>,

    /// Origin whose pages may call this server, such as `https://app.example`, or `*` for all. May be repeated.
    /// Default: no pages of other origins.
    #[arg(long = "cors-origin", value_name = "ORIGIN", value_delimiter = ',')]
    pub cors_origins: Vec<Origin>,

    /// Count the tokens of each prompt, in place of the estimate of four bytes a token. The vocabulary has the first 4,096
    /// tokens of cl100k_base, so the count is higher than that of a model. A large prompt takes 25 ms a MiB of a processor.
    #[arg(long)]
    pub count_tokens: bool,

    /// Pass X-Mock-* headers on to the vendor, so that clients can control the mock.
    #[arg(long)]
    pub allow_mock_headers: bool,

    /// Format of the logs on stderr.
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,

    /// Log level, or levels per module, such as `info,fixed_server=debug`.
    #[arg(long, default_value = "info", value_name = "FILTER")]
    pub log_level: LogFilter,

    /// The limits.
    #[command(flatten)]
    pub limits: Limits,

    /// The database of keys and sessions.
    #[command(flatten, next_help_heading = "The database of keys and sessions")]
    pub database: DatabaseSettings,
}

impl Settings {
    /// Reads flags and environment variables.
    ///
    /// # Errors
    /// A message for the command line: an invalid flag or value, or two limits that conflict.
    pub fn read<I, T>(args: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator<Item = T>,
        T: Into<std::ffi::OsString> + Clone,
    {
        let mut command = with_variables(Settings::command());
        let settings = Settings::from_arg_matches(&command.try_get_matches_from_mut(args)?)?;
        settings.check().map_err(|error| command.error(clap::error::ErrorKind::ValueValidation, error))?;
        Ok(settings)
    }

    /// The options of keys and sessions.
    pub(crate) fn sessions(&self) -> SessionOptions {
        SessionOptions {
            database: self.database.options(&self.limits),
            first_keys: self.api_keys.clone(),
            retention: self.database.session_retention.0,
            longest_call: self.limits.call.sla + self.limits.total_timeout,
        }
    }

    fn check(&self) -> Result<(), String> {
        if let Some(Command::Key(key)) = &self.command {
            return key.check().map_err(str::to_owned);
        }
        self.limits.check().and_then(|()| self.database.check(&self.limits)).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(args: &[&str]) -> String {
        match Settings::read([&["fixed-server"], args].concat()) {
            Ok(_) => panic!("{args:?} was accepted"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_bad_value_names_its_flag_and_what_is_allowed() {
        for (args, named) in [
            (&["--max-in-flight", "0"][..], &["--max-in-flight", "1"][..]),
            (&["--max-in-flight", "-1"], &["--max-in-flight"]),
            (&["--max-queued", "-1"], &["--max-queued"]),
            (&["--queue-timeout", "0s"], &["--queue-timeout", "over zero"]),
            (&["--idle-timeout", "-1s"], &["--idle-timeout", "250ms or 5s"]),
            (&["--idle-timeout", "9999y"], &["--idle-timeout", "at most 1day"]),
            (&["--worker-threads", "0"], &["--worker-threads", "1"]),
            (&["--sla", "soon"], &["--sla", "250ms or 5s"]),
            (&["--model-rate-limit", "60/1m"], &["--model-rate-limit", "gpt-5=60/1m"]),
            (&["--cors-origin", "app.example"], &["--cors-origin", "https://app.example"]),
            (&["--max-body-bytes", "8MB"], &["--max-body-bytes", "8MiB"]),
            (&["--max-body-memory", "0"], &["--max-body-memory", "from 1"]),
            (&["--upstream", "nonsense"], &["--upstream", "http://HOST:PORT"]),
            (&["--upstream", "ftp://vendor"], &["--upstream", "http://HOST:PORT"]),
            (&["--upstream-api-key", ""], &["--upstream-api-key", "printable ASCII"]),
            (&["--api-key", ""], &["--api-key"]),
            (&["--log-level", "loud"], &["--log-level", "info"]),
        ] {
            let message = refused(args);
            assert!(named.iter().all(|name| message.contains(name)), "{args:?}: {message}");
        }
    }

    #[test]
    fn invalid_limits_are_rejected_by_name() {
        let over_zero = [
            "--read-timeout",
            "--keep-alive-timeout",
            "--sla",
            "--min-attempt-time",
            "--breaker-open-time",
            "--queue-timeout",
            "--connect-timeout",
            "--call-timeout",
            "--first-token-timeout",
            "--early-keep-alive",
            "--idle-timeout",
            "--total-timeout",
            "--write-timeout",
            "--database-acquire-timeout",
            "--database-recycle-time",
            "--session-retention",
            "--worker-timeout",
        ];
        let at_least_one = [
            "--max-connections",
            "--user-max-in-flight",
            "--max-users",
            "--attempts",
            "--breaker-failures",
            "--max-in-flight",
            "--max-event-bytes",
            "--database-pool-size",
        ];
        let rates = ["--user-rate-limit", "--rate-limit", "--token-limit"];
        let absurd = ["", "0", "-1", "1e400", "99999999999999999999999", "lots", "\u{221e}"];
        for flag in over_zero.iter().chain(&at_least_one).chain(&rates) {
            for value in absurd {
                let message = refused(&[flag, value]);
                assert!(message.contains(flag), "{flag} {value:?}: {message}");
            }
        }
        for flag in over_zero {
            for value in ["0s", "-5s", "9999y", "5"] {
                assert!(refused(&[flag, value]).contains(flag), "{flag} {value}");
            }
        }
        for flag in rates {
            for value in ["0/1m", "60/0s", "60/1y", "-60/1m", "60"] {
                assert!(refused(&[flag, value]).contains(flag), "{flag} {value}");
            }
        }
        for args in [
            &["--retry-budget", "101"][..],
            &["--retry-budget", "-1"],
            &["--retry-reserve", "-1"],
            &["--attempts", "11"],
            &["--ready-on-error-rate", "0"],
            &["--ready-on-error-rate", "1"],
            &["--shutdown-grace", "-1s"],
            &["--rate-limit", "60/1m", "--rate-burst", "0"],
        ] {
            assert!(refused(args).contains(args[args.len() - 2]), "{args:?}");
        }
    }

    #[test]
    fn the_default_event_size_is_that_of_every_reader() {
        let settings = Settings::read(["fixed-server"]).unwrap();
        assert_eq!(settings.limits.upstream.max_event_bytes.get(), wire::sse::EVENT_BYTES_MAX);
    }

    #[test]
    fn optional_limits_accept_off() {
        let off = [
            "--user-rate-limit",
            "--user-max-in-flight",
            "--breaker-failures",
            "--rate-limit",
            "--token-limit",
            "--early-keep-alive",
            "--ready-on-error-rate",
            "--session-retention",
            "--worker-timeout",
        ];
        for flag in off {
            assert!(Settings::read(["fixed-server", flag, "off"]).is_ok(), "{flag}");
        }
    }

    #[test]
    fn both_conflicting_limits_are_named() {
        for (args, named) in [
            (&["--queue-timeout", "30s"][..], ["--queue-timeout", "--call-timeout"]),
            (&["--call-timeout", "60s"], ["--call-timeout", "--sla"]),
            (&["--keep-alive-timeout", "5s"], ["--read-timeout (30s)", "--keep-alive-timeout (5s)"]),
            (&["--idle-timeout", "2h"], ["--idle-timeout", "--total-timeout"]),
            (&["--early-keep-alive", "30s"], ["--early-keep-alive", "--first-token-timeout"]),
            (&["--attempts", "10", "--min-attempt-time", "7s"], ["--attempts", "--sla"]),
            (&["--rate-limit", "60/1m", "--rate-burst", "60"], ["--rate-burst", "--rate-limit"]),
            (&["--token-limit", "60/1m", "--token-burst", "61"], ["--token-burst", "--token-limit"]),
            (&["--rate-burst", "2"], ["--rate-burst", "--rate-limit"]),
            (&["--model-rate-limit", "m=60/1m,m=1/1s"], ["--model-rate-limit m=60/1m", "--model-rate-limit m=1/1s"]),
            (&["--max-body-memory", "1MiB"], ["--max-body-bytes (8MiB)", "--max-body-memory (1MiB)"]),
            (&["--user-max-body-memory", "1MiB"], ["--max-body-bytes (8MiB)", "--user-max-body-memory (1MiB)"]),
            (&["--user-max-in-flight", "20000"], ["--user-max-in-flight", "--max-in-flight"]),
            (&["--database-acquire-timeout", "60s"], ["--database-acquire-timeout", "--sla"]),
        ] {
            let message = refused(args);
            assert!(named.iter().all(|name| message.contains(name)), "{args:?}: {message}");
        }
    }

    /// So that a short SLA alone is no contradiction.
    #[test]
    fn defaults_that_depend_on_the_sla_follow_it() {
        let flags = ["--sla", "300ms", "--call-timeout", "200ms", "--queue-timeout", "100ms"];
        assert!(Settings::read([&["fixed-server"], &flags[..]].concat()).is_ok());
    }
}
