use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;

/// Longest duration that is taken: nobody waits longer for a model, and sums of it cannot overflow.
const TIME_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Every limit of the server, in one place. A queue, a wait or a number of anything that is not here
/// is a bug: what has no limit of its own has the machine's.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// Calls to the vendor at once; more wait in the queue.
    #[arg(long, env = "FIXED_SERVER_MAX_IN_FLIGHT", default_value = "10000", value_name = "N")]
    #[arg(value_parser = at_least_one, allow_hyphen_values = true)]
    pub max_in_flight: NonZeroUsize,

    /// Requests that may wait for their turn; more are refused at once (429).
    #[arg(long, env = "FIXED_SERVER_MAX_QUEUED", default_value = "1000", value_name = "N")]
    #[arg(allow_hyphen_values = true)]
    pub max_queued: usize,

    /// How long a request may wait for its turn (504). It covers the wait and not the call.
    #[arg(long, env = "FIXED_SERVER_QUEUE_TIMEOUT", default_value = "5s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub queue_timeout: Duration,

    /// How long a whole call may take (502).
    #[arg(long, env = "FIXED_SERVER_CALL_TIMEOUT", default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub call_timeout: Duration,

    /// How long the vendor may take from the request to the first token of a stream (502).
    #[arg(long, env = "FIXED_SERVER_FIRST_TOKEN_TIMEOUT", default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub first_token_timeout: Duration,

    /// How long the vendor may be silent after the first token (an error event).
    #[arg(long, env = "FIXED_SERVER_IDLE_TIMEOUT", default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub idle_timeout: Duration,

    /// How long a client may take to send the head of a request, and then its body. A connection may
    /// idle as long.
    #[arg(long, env = "FIXED_SERVER_READ_TIMEOUT", default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub read_timeout: Duration,

    /// How long a client may not read what is sent to it (its connection is closed).
    #[arg(long, env = "FIXED_SERVER_WRITE_TIMEOUT", default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub write_timeout: Duration,

    /// How long a request may take in all; a stream, to its first token (504).
    #[arg(long, env = "FIXED_SERVER_SLA", default_value = "60s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub sla: Duration,

    /// How long connecting to the vendor may take.
    #[arg(long, env = "FIXED_SERVER_CONNECT_TIMEOUT", default_value = "5s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub connect_timeout: Duration,

    /// Connections of clients at once; more wait to be accepted.
    #[arg(long, env = "FIXED_SERVER_MAX_CONNECTIONS", default_value = "20000", value_name = "N")]
    #[arg(value_parser = at_least_one, allow_hyphen_values = true)]
    pub max_connections: NonZeroUsize,

    /// How long running streams may go on after a signal to stop; then they end with an error event.
    #[arg(long, env = "FIXED_SERVER_SHUTDOWN_GRACE", default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = time, allow_hyphen_values = true)]
    pub shutdown_grace: Duration,
}

/// Two limits of which one can never be reached because of the other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{inner} ({inner_value}) must be less than {outer} ({outer_value}): {why}")]
pub struct LimitsError {
    inner: &'static str,
    inner_value: String,
    outer: &'static str,
    outer_value: String,
    why: &'static str,
}

impl Limits {
    /// Checks the relations between the limits.
    ///
    /// # Errors
    /// [`LimitsError`], which names the two flags.
    pub fn check(&self) -> Result<(), LimitsError> {
        let inside = LimitsError::unless_less;
        inside(
            "--queue-timeout",
            self.queue_timeout,
            "--call-timeout",
            self.call_timeout,
            "who waits longer for a turn than a turn takes had better be refused",
        )?;
        inside(
            "--call-timeout",
            self.call_timeout,
            "--sla",
            self.sla,
            "else the SLA ends a call before its own limit can",
        )
    }
}

impl LimitsError {
    /// Checks that the `inner` limit can be reached before the `outer` one ends everything.
    pub(super) fn unless_less(
        inner: &'static str,
        inner_value: Duration,
        outer: &'static str,
        outer_value: Duration,
        why: &'static str,
    ) -> Result<(), Self> {
        let good = inner_value < outer_value;
        let (inner_value, outer_value) = (as_typed(inner_value), as_typed(outer_value));
        if good { Ok(()) } else { Err(LimitsError { inner, inner_value, outer, outer_value, why }) }
    }
}

/// A duration as people type it: `90s`, not `1m 30s`.
fn as_typed(duration: Duration) -> String {
    if duration.subsec_nanos() == 0 { format!("{}s", duration.as_secs()) } else { format!("{duration:?}") }
}

fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected a whole number from 1".to_owned())
}

/// A duration that may run out: zero would refuse every call.
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("must be over zero, for example 250ms or 5s".into()),
        time => Ok(time),
    }
}

fn time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time > TIME_MAX => Err("must be at most 1day".into()),
        Ok(time) => Ok(time),
        Err(error) => Err(format!("{error}, for example 250ms or 5s")),
    }
}
