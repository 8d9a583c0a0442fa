//! The flags that do not depend on the mistake, and their environment variables.

mod causes;
mod database;
mod own_flags;

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use gateway::values::{OrOff, time, timeout, timeout_or_off};
use gateway::{
    CallLimits, CallQuota, Confidential, EarlyKeepAlive, KeyHash, PerUserLimits, UpstreamLimits, UpstreamUrl,
};
use program::logs::{LogFilter, LogFormat};

pub use causes::{Cause, CauseFlags, Causes};
pub use database::DatabaseSettings;
pub use own_flags::{ConnectionUntil, FirstLimit, Layer, OnStop, OwnFlags};

use wire::RELAYED_BODY_BYTES_MAX;
use wire::byte_size::ByteSize;

/// Threads in the blocking pool of each worker unless a flag or the mistake sets another number: as many as in one
/// process of the source.
pub(crate) const BLOCKING_THREADS: u16 = 40;

/// Longer than balancers usually keep their connections, which is 60 s. actix alone would keep them for 5 s.
const KEEP_ALIVE_TIMEOUT: &str = "75s";

/// actix panics with more workers.
const WORKERS_MAX: i64 = 512;

/// Far more threads than any experiment needs, so that a typing error is noticed.
const BLOCKING_THREADS_MAX: i64 = 10_000;

// `allow_hyphen_values`: with it the error for `--workers -1` is that -1 is out of range, without it that there is no
// flag `-1`.

/// The flags that do not depend on the mistake.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Address to listen on, IP:PORT; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:8000", value_name = "ADDR")]
    pub listen: SocketAddr,

    /// The vendor's base URL, with or without /v1 at the end.
    #[arg(long, default_value = "http://127.0.0.1:9000", value_name = "URL")]
    pub upstream: UpstreamUrl,

    /// Worker threads, each with its own event loop and blocking pool.
    #[arg(long, default_value_t = 1, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=WORKERS_MAX), allow_hyphen_values = true)]
    pub workers: u16,

    /// Threads in the blocking pool of EACH worker: a process has --workers times as many. Default for the mistake
    /// more-threads: 160.
    #[arg(long, default_value_t = BLOCKING_THREADS, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=BLOCKING_THREADS_MAX), allow_hyphen_values = true)]
    pub blocking_threads: u16,

    /// Run the server as a worker process under a watchdog, which kills it when its event loop has sent no heartbeat for
    /// this long and starts another, as gunicorn does; `off` for none. [default: off; 30s for --mistake worker-watchdog and
    /// for the cause watchdog of --mistake rapid-sequence]
    #[arg(long, value_name = "TIME", value_parser = timeout_or_off, allow_hyphen_values = true)]
    pub worker_timeout: Option<OrOff<Duration>>,

    /// Flags for one mistake only.
    #[command(flatten)]
    pub own: OwnFlags,

    /// The limits of the vendor's answers.
    #[command(flatten)]
    pub upstream_limits: UpstreamLimits,

    /// How long a client may take to send a request's body (408).
    #[arg(long, default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub read_timeout: Duration,

    /// How long a connection is kept from an answer to the next request. Default for the mistake keepalive-race: 5s.
    #[arg(long, default_value = KEEP_ALIVE_TIMEOUT, value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub keep_alive_timeout: Duration,

    /// How long a client may leave unread what is sent to it; then its connection is closed.
    #[arg(long, default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub write_timeout: Duration,

    /// Largest body of a request to /v1, such as 8MiB (413). On the other routes the limit is never over 1MiB.
    #[arg(long, value_name = "BYTES")]
    #[arg(default_value_t = ByteSize(RELAYED_BODY_BYTES_MAX), allow_hyphen_values = true)]
    pub max_body_bytes: ByteSize,

    /// How long running streams may go on after SIGINT or SIGTERM; then they end with an error event.
    #[arg(long, default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = time, allow_hyphen_values = true)]
    pub shutdown_grace: Duration,

    /// A key that clients of /v1 may send; each is another user. May be repeated.
    #[arg(long = "api-key", default_value = "demo-key", value_name = "KEY")]
    #[arg(hide_env_values = true, value_parser = Confidential(KeyHash::parse))]
    pub api_keys: Vec<KeyHash>,

    /// Count the tokens of each prompt, for the metric llm_prompt_tokens. The vocabulary has the first 4,096
    /// tokens of cl100k_base, so the count is higher than that of a model. A large prompt takes 25 ms a MiB of a processor.
    #[arg(long)]
    pub count_tokens: bool,

    /// Pass X-Mock-* headers on to the vendor, so that clients can control the mock.
    #[arg(long)]
    pub allow_mock_headers: bool,

    /// Format of the logs on stderr.
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,

    /// Which logs to write: a level, or pairs such as `info,broken_server=debug`.
    #[arg(long, default_value = "info", value_name = "FILTER")]
    #[arg(value_parser = log_filter)]
    pub log_level: LogFilter,

    /// The limits of a call, for mistakes that have limits.
    #[command(flatten, next_help_heading = "Limits (only with --mistake none and the mistakes that have them)")]
    pub limits: CallLimits,

    /// The vendor's quota of calls, for the same mistakes.
    #[command(flatten)]
    pub quota: CallQuota,

    /// The limits of each user, for the same mistakes.
    #[command(flatten)]
    pub users: PerUserLimits,

    /// When a stream begins without its first token, for the same mistakes.
    #[command(flatten)]
    pub early_keep_alive: EarlyKeepAlive,

    /// The database of keys.
    #[command(flatten, next_help_heading = "The database of keys")]
    pub database: DatabaseSettings,
}

/// Hides actix's own start-up messages, unless the filter names them.
fn log_filter(text: &str) -> Result<LogFilter, String> {
    LogFilter::over("actix_server=warn", text)
}

#[cfg(test)]
mod tests {
    use crate::cli::Cli;

    fn rejected(args: &[&str]) -> String {
        match Cli::read([&["broken-server"], args].concat()) {
            Ok(_) => panic!("{args:?} was accepted"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_bad_value_names_its_flag_and_what_is_allowed() {
        for (args, flag, expected) in [
            (["--blocking-threads", "0"], "--blocking-threads", "1..=10000"),
            (["--workers", "0"], "--workers", "1..=512"),
            (["--workers", "-1"], "--workers", "1..=512"),
            (["--workers", "513"], "--workers", "1..=512"),
            (["--idle-timeout", "0s"], "--idle-timeout", "over zero"),
            (["--write-timeout", "0s"], "--write-timeout", "over zero"),
            (["--connect-timeout", "-1s"], "--connect-timeout", "250ms or 5s"),
            (["--shutdown-grace", "9999y"], "--shutdown-grace", "at most 1day"),
            (["--listen", "nonsense"], "--listen", "socket address"),
            (["--upstream", "nonsense"], "--upstream", "http://HOST:PORT"),
            (["--upstream", "https://vendor"], "--upstream", "https is not supported here"),
            (["--upstream", "http://user:pass@vendor"], "--upstream", "credentials"),
            (["--api-key", ""], "--api-key", "1 to 512 visible ASCII characters"),
            (["--log-format", "xml"], "--log-format", "json"),
            (["--log-level", "loud"], "--log-level", "info"),
        ] {
            let message = rejected(&args);
            assert!(message.contains(flag) && message.contains(expected), "{args:?}: {message}");
        }
    }
}
