//! The ledger of the mock vendor: what it counts about its callers.

mod window;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use window::most_within;

/// Longest list of times in a [`Ledger`]; the oldest are dropped. A lab starts some thousand generations.
pub const TIMES_MAX: usize = 100_000;

/// Most request ids in a [`Ledger`]; the oldest are dropped.
pub const REQUEST_IDS_MAX: usize = 10_000;

/// `GET /debug/stats` of the mock vendor: what it saw, independent of what a server says about itself.
///
/// `started = completed + cancelled + failed + active` at every moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
pub struct Ledger {
    /// Generations in progress, including those waiting for a slot.
    pub active: u64,
    /// Most generations in progress at the same time.
    pub peak_active: u64,
    /// Of the active ones, those waiting for a slot.
    #[serde(default)]
    pub waiting: u64,
    /// Generations started since the program started or the last reset.
    pub started: u64,
    /// Of them, those that were not the first of their `X-Request-ID`.
    #[serde(default)]
    pub retried: u64,
    /// Generations delivered completely.
    pub completed: u64,
    /// Of the completed ones, those that `max_tokens` ended.
    #[serde(default)]
    pub completed_by_limit: u64,
    /// Generations whose client disconnected.
    pub cancelled: u64,
    /// Generations that a fault ended, even before their first token.
    #[serde(default)]
    pub failed: u64,
    /// Requests rejected by a quota. They were not started.
    #[serde(default)]
    pub refused: u64,
    /// Tokens handed to the socket.
    pub tokens_sent: u64,
    /// Tokens generated after the client disconnected (`ignore-disconnect`).
    pub tokens_after_disconnect: u64,
    /// Prompt tokens of all generations started.
    #[serde(default)]
    pub prompt_tokens: u64,
    /// TCP connections accepted.
    pub connections_opened: u64,
    /// Of them, those on which a client has sent a request. Connections that only carried the operator's own
    /// requests are not among them, nor are those that were closed unused.
    #[serde(default)]
    pub client_connections: u64,
    /// Answers by HTTP status: `{"200": 40, "429": 2}`. Without the
    /// operator's own requests (`/health`, `/metrics`, `/debug/...`).
    pub requests_by_status: BTreeMap<String, u64>,
    /// Requests that got no status: a fault hung or closed the connection, or the client disconnected first.
    #[serde(default)]
    pub unanswered: u64,
    /// Faults injected, by their word in the fault language.
    #[serde(default)]
    pub faults: BTreeMap<String, u64>,
    /// When the most recent generations started, in milliseconds since 1970, oldest first; at most [`TIMES_MAX`].
    pub starts: Vec<f64>,
    /// When the most recent of those that were `retried` started, likewise.
    #[serde(default)]
    pub retries: Vec<f64>,
    /// When the most recent requests were rejected, likewise.
    #[serde(default)]
    pub refusals: Vec<f64>,
    /// Generations started per `X-Request-ID`, of the most recent [`REQUEST_IDS_MAX`] ids.
    #[serde(default)]
    pub attempts_by_request_id: BTreeMap<String, u64>,
    /// Requests rejected by a quota per `X-Request-ID`, of those of the same ids that had any.
    #[serde(default)]
    pub refused_by_request_id: BTreeMap<String, u64>,
    /// Requests that came before the end of the `Retry-After` that an earlier one with their `X-Request-ID` was
    /// answered with. Answers of quotas and of faults count alike.
    #[serde(default)]
    pub early: u64,
    /// The same per `X-Request-ID`, of those of the same ids that had any.
    #[serde(default)]
    pub early_by_request_id: BTreeMap<String, u64>,
}
