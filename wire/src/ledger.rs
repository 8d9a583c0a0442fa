//! What the mock vendor remembers of its callers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `GET /debug/stats` of the mock vendor: what it saw, which is the judge of what a server did.
///
/// At every moment `started = completed + cancelled + failed + active`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// Generations under way, those that wait for a slot included.
    pub active: u64,
    /// Most generations that were ever under way at once.
    pub peak_active: u64,
    /// Of the active ones, those that wait for a slot.
    #[serde(default)]
    pub waiting: u64,
    /// Generations begun since the start or the last reset.
    pub started: u64,
    /// Generations that were delivered whole.
    pub completed: u64,
    /// Of the completed ones, those that the request's `max_tokens` ended.
    #[serde(default)]
    pub completed_by_limit: u64,
    /// Generations whose client left.
    pub cancelled: u64,
    /// Generations that a fault ended, those that it ended before they made a token included.
    #[serde(default)]
    pub failed: u64,
    /// Requests that a quota refused. They were not started.
    #[serde(default)]
    pub refused: u64,
    /// Tokens handed to the socket.
    pub tokens_sent: u64,
    /// Tokens generated after their client had left (`ignore-disconnect`).
    pub tokens_after_disconnect: u64,
    /// Tokens of the prompts of all generations begun.
    #[serde(default)]
    pub prompt_tokens: u64,
    /// TCP connections accepted.
    pub connections_opened: u64,
    /// Answers by HTTP status: `{"200": 40, "429": 2}`. Only what callers of the vendor got, not
    /// what its operator asked for (`/health`, `/metrics`, `/debug/...`).
    pub requests_by_status: BTreeMap<String, u64>,
    /// Requests that got no status: a fault hung or cut them, or their client left before.
    #[serde(default)]
    pub unanswered: u64,
    /// Faults that requests were given, by their word in the fault language.
    #[serde(default)]
    pub faults: BTreeMap<String, u64>,
    /// When the most recent generations began, in milliseconds since 1970, oldest first.
    pub starts: Vec<f64>,
    /// When the most recent requests were refused, likewise.
    #[serde(default)]
    pub refusals: Vec<f64>,
    /// How many generations each `X-Request-ID` began; the most recent ids only.
    #[serde(default)]
    pub attempts_by_request_id: BTreeMap<String, u64>,
}
