//! Every limit of the server.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;
use gateway::values::{OrOff, at_least_one, at_least_one_or_off, share_or_off, time, timeout, timeout_or_off};
use gateway::{CallLimits, QuotaLimits, UpstreamLimits};
use resilience::Rate;
use wire::byte_size::ByteSize;
use wire::{BODY_BYTES_MAX, RELAYED_BODY_BYTES_MAX};

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
    #[arg(long, default_value = "20000", value_name = "N")]
    #[arg(value_parser = at_least_one, allow_hyphen_values = true)]
    pub max_connections: NonZeroUsize,

    /// How long a client may take to send the head of a request, and then its body. A connection may
    /// idle as long.
    #[arg(long, default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub read_timeout: Duration,

    /// Requests of one user, as `60/1m`; all of them may come at once, more are refused (429). A user
    /// is a key, or an address on the routes that take none.
    #[arg(long, default_value = "off", value_name = "RATE")]
    #[arg(allow_hyphen_values = true)]
    pub user_rate_limit: OrOff<Rate>,

    /// Requests of one user at once; more are refused (429).
    #[arg(long, default_value = "off", value_name = "N")]
    #[arg(value_parser = at_least_one_or_off, allow_hyphen_values = true)]
    pub user_max_in_flight: OrOff<NonZeroUsize>,

    /// Users that are remembered, at some 400 bytes each: so many keys, and as many addresses. Who has no
    /// request under way and a full rate again makes room for the next; where nobody does, it is refused
    /// (429).
    #[arg(long, default_value = "10000", value_name = "N")]
    #[arg(value_parser = at_least_one, allow_hyphen_values = true)]
    pub max_users: NonZeroUsize,

    /// Largest body of a request to /v1, as 8MiB (413): an image is sent as text in it. On the other routes
    /// at most 1MiB of it.
    #[arg(long, default_value_t = ByteSize(RELAYED_BODY_BYTES_MAX), value_name = "BYTES")]
    #[arg(allow_hyphen_values = true)]
    pub max_body_bytes: ByteSize,

    /// Memory for the bodies of one user's requests; more is refused (429).
    #[arg(long, default_value = "off", value_name = "BYTES")]
    #[arg(allow_hyphen_values = true)]
    pub user_max_body_memory: OrOff<ByteSize>,

    /// Memory for the bodies of all requests, from their first byte until the vendor has answered; more is
    /// refused (429).
    #[arg(long, default_value = "256MiB", value_name = "BYTES")]
    #[arg(allow_hyphen_values = true)]
    pub max_body_memory: ByteSize,

    /// The limits of a call.
    #[command(flatten)]
    pub call: CallLimits,

    /// Failures in a row after which the vendor is not called for a while (502 at once). Use it only if
    /// needed: it turns a vendor that fails now and then into one that fails always.
    #[arg(long, default_value = "off", value_name = "N")]
    #[arg(value_parser = at_least_one_or_off, allow_hyphen_values = true)]
    pub breaker_failures: OrOff<NonZeroUsize>,

    /// How long that while is; then one call asks whether the vendor is back.
    #[arg(long, default_value = "5s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub breaker_open_time: Duration,

    /// The vendor's quota.
    #[command(flatten)]
    pub quota: QuotaLimits,

    /// The limits of the vendor's answers.
    #[command(flatten)]
    pub upstream: UpstreamLimits,

    /// After how long without a first token to answer nevertheless, and how often to send a comment
    /// from then on, for proxies that close what is silent. The price: the answer is then 200, and a
    /// failure can be told by an error event only.
    #[arg(long, default_value = "off", value_name = "TIME")]
    #[arg(value_parser = timeout_or_off, allow_hyphen_values = true)]
    pub early_keep_alive: OrOff<Duration>,

    /// How long a stream may take in all, however healthy (an error event): a vendor that drips for
    /// ever would hold its turn for ever.
    #[arg(long, default_value = "1h", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub total_timeout: Duration,

    /// How long a client may not read what is sent to it (its connection is closed).
    #[arg(long, default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub write_timeout: Duration,

    /// Share of the last 10 s' calls that may fail before `/ready` says no. All replicas share the
    /// vendor, so they would all say no together: off, unless you know better.
    #[arg(long, default_value = "off", value_name = "SHARE")]
    #[arg(value_parser = share_or_off, allow_hyphen_values = true)]
    pub ready_on_error_rate: OrOff<f64>,

    /// How long running streams may go on after a signal to stop; then they end with an error event.
    #[arg(long, default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = time, allow_hyphen_values = true)]
    pub shutdown_grace: Duration,
}

impl Limits {
    /// Largest body of a request to a route of the server's own, in bytes.
    pub(crate) fn own_body_bytes(&self) -> usize {
        self.max_body_bytes.0.min(BODY_BYTES_MAX)
    }
}
