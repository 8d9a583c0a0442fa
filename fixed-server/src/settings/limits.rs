//! Every limit of the server.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;
use resilience::Rate;
use wire::byte_size::ByteSize;
use wire::{BODY_BYTES_MAX, RELAYED_BODY_BYTES_MAX};

use super::values::{OrOff, at_least_one, at_least_one_or_off, share_or_off, time, timeout, timeout_or_off};

/// Every limit of the server, in one place. A queue, a wait or a number of anything that is not here
/// is a bug: what has no limit of its own has the machine's.
///
/// They are in the order in which a request meets them. [`Limits::check`] holds the relations between
/// them.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits, in the order in which a request meets them")]
pub struct Limits {
    /// Connections of clients at once; more wait to be accepted. Fewer, with a warning at the start, where
    /// there are too few file descriptors for them and for their calls to the vendor.
    #[arg(long, env = "FIXED_SERVER_MAX_CONNECTIONS", default_value = "20000", value_name = "N")]
    #[arg(value_parser = at_least_one, allow_hyphen_values = true)]
    pub max_connections: NonZeroUsize,

    /// How long a client may take to send the head of a request, and then its body. A connection may
    /// idle as long.
    #[arg(long, env = "FIXED_SERVER_READ_TIMEOUT", default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub read_timeout: Duration,

    /// Requests of one user, as `60/1m`; all of them may come at once, more are refused (429). A user
    /// is a key, or an address on the routes that take none.
    #[arg(long, env = "FIXED_SERVER_USER_RATE_LIMIT", default_value = "off", value_name = "RATE")]
    #[arg(allow_hyphen_values = true)]
    pub user_rate_limit: OrOff<Rate>,

    /// Requests of one user at once; more are refused (429).
    #[arg(long, env = "FIXED_SERVER_USER_MAX_IN_FLIGHT", default_value = "off", value_name = "N")]
    #[arg(value_parser = at_least_one_or_off, allow_hyphen_values = true)]
    pub user_max_in_flight: OrOff<NonZeroUsize>,

    /// Users that are remembered, at some 400 bytes each: so many keys, and as many addresses. Who has no
    /// request under way and a full rate again makes room for the next; where nobody does, it is refused
    /// (429).
    #[arg(long, env = "FIXED_SERVER_MAX_USERS", default_value = "10000", value_name = "N")]
    #[arg(value_parser = at_least_one, allow_hyphen_values = true)]
    pub max_users: NonZeroUsize,

    /// Largest body of a request to /v1, as 8MiB (413): an image is sent as text in it. On the other routes
    /// at most 1MiB of it.
    #[arg(long, env = "FIXED_SERVER_MAX_BODY_BYTES", default_value_t = ByteSize(RELAYED_BODY_BYTES_MAX), value_name = "BYTES")]
    #[arg(allow_hyphen_values = true)]
    pub max_body_bytes: ByteSize,

    /// Memory for the bodies of one user's requests; more is refused (429).
    #[arg(long, env = "FIXED_SERVER_USER_MAX_BODY_MEMORY", default_value = "off", value_name = "BYTES")]
    #[arg(allow_hyphen_values = true)]
    pub user_max_body_memory: OrOff<ByteSize>,

    /// Memory for the bodies of all requests, from their first byte until the vendor has answered; more is
    /// refused (429).
    #[arg(long, env = "FIXED_SERVER_MAX_BODY_MEMORY", default_value = "256MiB", value_name = "BYTES")]
    #[arg(allow_hyphen_values = true)]
    pub max_body_memory: ByteSize,

    /// How long a request may take in all; a stream, to its first token (504).
    #[arg(long, env = "FIXED_SERVER_SLA", default_value = "60s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub sla: Duration,

    /// Calls to the vendor for one request, the first among them.
    #[arg(long, env = "FIXED_SERVER_ATTEMPTS", default_value = "3", value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10), allow_hyphen_values = true)]
    pub attempts: u32,

    /// What must be left of the SLA for another attempt to be worth it: about what the vendor takes at
    /// its best.
    #[arg(long, env = "FIXED_SERVER_MIN_ATTEMPT_TIME", default_value = "50ms", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub min_attempt_time: Duration,

    /// Retries for every 100 requests of the last 10 s, over all requests: an outage is not to be met
    /// with three times the load.
    #[arg(long, env = "FIXED_SERVER_RETRY_BUDGET", default_value = "20", value_name = "PERCENT")]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=100), allow_hyphen_values = true)]
    pub retry_budget: u8,

    /// Retries each second that need no budget: without them a server with few requests has none.
    #[arg(long, env = "FIXED_SERVER_RETRY_RESERVE", default_value = "3", value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=1000), allow_hyphen_values = true)]
    pub retry_reserve: u32,

    /// Failures in a row after which the vendor is not called for a while (502 at once). Use it only if
    /// needed: it turns a vendor that fails now and then into one that fails always.
    #[arg(long, env = "FIXED_SERVER_BREAKER_FAILURES", default_value = "off", value_name = "N")]
    #[arg(value_parser = at_least_one_or_off, allow_hyphen_values = true)]
    pub breaker_failures: OrOff<NonZeroUsize>,

    /// How long that while is; then one call asks whether the vendor is back.
    #[arg(long, env = "FIXED_SERVER_BREAKER_OPEN_TIME", default_value = "5s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub breaker_open_time: Duration,

    /// Requests that may wait for their turn; more are refused at once (429).
    #[arg(long, env = "FIXED_SERVER_MAX_QUEUED", default_value = "1000", value_name = "N")]
    #[arg(allow_hyphen_values = true)]
    pub max_queued: usize,

    /// How long a request may wait for its turn (504); who would wait longer is refused at once (429).
    /// It covers the wait and not the call.
    #[arg(long, env = "FIXED_SERVER_QUEUE_TIMEOUT", default_value = "5s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub queue_timeout: Duration,

    /// The vendor's quota of calls, as `60/1m`: kept in every window of that length. Requests wait.
    #[arg(long, env = "FIXED_SERVER_RATE_LIMIT", default_value = "off", value_name = "RATE")]
    #[arg(allow_hyphen_values = true)]
    pub rate_limit: OrOff<Rate>,

    /// Calls that may come at once after a pause; the rest of the quota comes evenly. Of itself a
    /// twentieth of the quota.
    #[arg(long, env = "FIXED_SERVER_RATE_BURST", value_name = "N", requires = "rate_limit")]
    #[arg(value_parser = at_least_one, allow_hyphen_values = true)]
    pub rate_burst: Option<NonZeroUsize>,

    /// The vendor's quota of tokens, as `90000/1m`. A call reserves its prompt and its `max_tokens`,
    /// and gets back what it did not use.
    #[arg(long, env = "FIXED_SERVER_TOKEN_LIMIT", default_value = "off", value_name = "RATE")]
    #[arg(allow_hyphen_values = true)]
    pub token_limit: OrOff<Rate>,

    /// Tokens that may come at once, and the most that one call may reserve (400). Of itself a quarter
    /// of the quota.
    #[arg(long, env = "FIXED_SERVER_TOKEN_BURST", value_name = "N", requires = "token_limit")]
    #[arg(value_parser = at_least_one, allow_hyphen_values = true)]
    pub token_burst: Option<NonZeroUsize>,

    /// Calls to the vendor at once; more wait in the queue.
    #[arg(long, env = "FIXED_SERVER_MAX_IN_FLIGHT", default_value = "10000", value_name = "N")]
    #[arg(value_parser = at_least_one, allow_hyphen_values = true)]
    pub max_in_flight: NonZeroUsize,

    /// How long connecting to the vendor may take.
    #[arg(long, env = "FIXED_SERVER_CONNECT_TIMEOUT", default_value = "5s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub connect_timeout: Duration,

    /// How long a whole call may take (502).
    #[arg(long, env = "FIXED_SERVER_CALL_TIMEOUT", default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub call_timeout: Duration,

    /// How long the vendor may take from the request to the first token of a stream (502).
    #[arg(long, env = "FIXED_SERVER_FIRST_TOKEN_TIMEOUT", default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub first_token_timeout: Duration,

    /// After how long without a first token to answer nevertheless, and how often to send a comment
    /// from then on, for proxies that close what is silent. The price: the answer is then 200, and a
    /// failure can be told by an error event only.
    #[arg(long, env = "FIXED_SERVER_EARLY_KEEP_ALIVE", default_value = "off", value_name = "TIME")]
    #[arg(value_parser = timeout_or_off, allow_hyphen_values = true)]
    pub early_keep_alive: OrOff<Duration>,

    /// Largest event of the vendor's stream, in bytes; a larger one ends the stream with an error, and is
    /// not asked for again. An image in one event has 1 to 3 MiB.
    #[arg(long, env = "FIXED_SERVER_MAX_EVENT_BYTES", default_value = "8388608", value_name = "N")]
    #[arg(value_parser = at_least_one, allow_hyphen_values = true)]
    pub max_event_bytes: NonZeroUsize,

    /// How long the vendor may be silent after the first token (an error event).
    #[arg(long, env = "FIXED_SERVER_IDLE_TIMEOUT", default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub idle_timeout: Duration,

    /// How long a stream may take in all, however healthy (an error event): a vendor that drips for
    /// ever would hold its turn for ever.
    #[arg(long, env = "FIXED_SERVER_TOTAL_TIMEOUT", default_value = "1h", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub total_timeout: Duration,

    /// How long a client may not read what is sent to it (its connection is closed).
    #[arg(long, env = "FIXED_SERVER_WRITE_TIMEOUT", default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub write_timeout: Duration,

    /// Share of the last 10 s' calls that may fail before `/ready` says no. All replicas share the
    /// vendor, so they would all say no together: off, unless you know better.
    #[arg(long, env = "FIXED_SERVER_READY_ON_ERROR_RATE", default_value = "off", value_name = "SHARE")]
    #[arg(value_parser = share_or_off, allow_hyphen_values = true)]
    pub ready_on_error_rate: OrOff<f64>,

    /// How long running streams may go on after a signal to stop; then they end with an error event.
    #[arg(long, env = "FIXED_SERVER_SHUTDOWN_GRACE", default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = time, allow_hyphen_values = true)]
    pub shutdown_grace: Duration,
}

impl Limits {
    /// Largest body of a request to a route of the server's own, in bytes.
    pub(crate) fn own_body_bytes(&self) -> usize {
        self.max_body_bytes.0.min(BODY_BYTES_MAX)
    }
}
