//! Every limit of the server.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;
use gateway::values::{OrOff, at_least_one, at_least_one_or_off, share_or_off, time, timeout};
use gateway::{CallLimits, CallQuota, EarlyKeepAlive, PerUserLimits, TokenQuota, UpstreamLimits};
use wire::byte_size::ByteSize;
use wire::{BODY_BYTES_MAX, RELAYED_BODY_BYTES_MAX};

/// Every limit of the server, in one place. A queue, a wait or a count without a limit here is a bug: its limit would
/// be the machine's.
///
/// They are roughly in the order in which a request meets them. [`Limits::check`] checks the relations between them.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits, roughly in the order in which a request meets them")]
pub struct Limits {
    /// Connections of clients at the same time; more wait to be accepted. Fewer, with a warning at the start, if there
    /// are not enough file descriptors for them and their calls to the vendor.
    #[arg(long, default_value = "20000", value_name = "N")]
    #[arg(value_parser = at_least_one, allow_hyphen_values = true)]
    pub max_connections: NonZeroUsize,

    /// How long a client may take to send the head of its first request, and each body (408).
    #[arg(long, default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub read_timeout: Duration,

    /// How long a connection is kept from an answer to the head of the next request. Make it longer than the balancer
    /// in front keeps its connections (usually 60s): otherwise it sends requests on connections that are being closed.
    #[arg(long, default_value = "75s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub keep_alive_timeout: Duration,

    /// The limits of each user.
    #[command(flatten)]
    pub users: PerUserLimits,

    /// Largest body of a request to /v1, such as 8MiB (413): images are sent in it as text. Other routes accept at most
    /// 1MiB.
    #[arg(long, default_value_t = ByteSize(RELAYED_BODY_BYTES_MAX), value_name = "BYTES")]
    #[arg(allow_hyphen_values = true)]
    pub max_body_bytes: ByteSize,

    /// Memory for the bodies of one user's requests; more is rejected (429).
    #[arg(long, default_value = "off", value_name = "BYTES")]
    #[arg(allow_hyphen_values = true)]
    pub user_max_body_memory: OrOff<ByteSize>,

    /// Memory for the bodies of all requests, from their first byte until the vendor has answered; more is rejected
    /// (429).
    #[arg(long, default_value = "256MiB", value_name = "BYTES")]
    #[arg(allow_hyphen_values = true)]
    pub max_body_memory: ByteSize,

    /// The limits of a call.
    #[command(flatten)]
    pub call: CallLimits,

    /// Failures in a row after which the vendor is not called for a while (502 at once). Use it only if needed: it turns
    /// a vendor that fails sometimes into one that fails always.
    #[arg(long, default_value = "off", value_name = "N")]
    #[arg(value_parser = at_least_one_or_off, allow_hyphen_values = true)]
    pub breaker_failures: OrOff<NonZeroUsize>,

    /// How long the vendor is then not called; after that, one call probes whether it is back.
    #[arg(long, default_value = "5s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub breaker_open_time: Duration,

    /// The vendor's quota of calls.
    #[command(flatten)]
    pub quota: CallQuota,

    /// The vendor's quota of tokens.
    #[command(flatten)]
    pub token_quota: TokenQuota,

    /// The limits of the vendor's answers.
    #[command(flatten)]
    pub upstream: UpstreamLimits,

    /// When a stream begins without its first token.
    #[command(flatten)]
    pub early_keep_alive: EarlyKeepAlive,

    /// How long a stream may take in all, however healthy; then it ends with an error event. A vendor that never ends
    /// would keep its permit for ever.
    #[arg(long, default_value = "1h", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub total_timeout: Duration,

    /// How long a client may leave unread what is sent to it; then its connection is closed.
    #[arg(long, default_value = "30s", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub write_timeout: Duration,

    /// Share of the calls of the last 10 s that may fail before `/ready` is a 503. All replicas share the vendor, so they
    /// would all become unready together: leave it off unless you have a reason.
    #[arg(long, default_value = "off", value_name = "SHARE")]
    #[arg(value_parser = share_or_off, allow_hyphen_values = true)]
    pub ready_on_error_rate: OrOff<f64>,

    /// How long running streams may continue after a signal to stop; then they end with an error event.
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
