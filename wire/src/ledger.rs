use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `GET /debug/stats` of the mock vendor: what it saw, which is the judge of what a server did.
///
/// At every moment `started = completed + cancelled + failed + active`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// Generations under way.
    pub active: u64,
    /// Most generations that were ever under way at once.
    pub peak_active: u64,
    /// Generations begun since the start or the last reset.
    pub started: u64,
    /// Generations that were delivered whole.
    pub completed: u64,
    /// Generations whose client left.
    pub cancelled: u64,
    /// Generations that a fault ended.
    #[serde(default)]
    pub failed: u64,
    /// Tokens handed to the socket.
    pub tokens_sent: u64,
    /// Tokens generated after their client had left (`ignore-disconnect`, or before it was noticed).
    pub tokens_after_disconnect: u64,
    /// TCP connections accepted.
    pub connections_opened: u64,
    /// Answers by HTTP status: `{"200": 40, "429": 2}`.
    pub requests_by_status: BTreeMap<String, u64>,
    /// When the most recent generations began, in milliseconds since 1970, oldest first.
    pub starts: Vec<f64>,
    /// How many generations each `X-Request-ID` began; the most recent ids only.
    #[serde(default)]
    pub attempts_by_request_id: BTreeMap<String, u64>,
}
