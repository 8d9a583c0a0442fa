//! What a balancer has counted.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::numbers::in_millis;

/// The path of the balancer's own counts; no request for it reaches a backend.
pub const STATS_PATH: &str = "/balancer/stats";

/// Changes in the number of ready backends that are kept.
const CHANGES_KEPT: usize = 10_000;

/// The counts of a balancer, as `GET /balancer/stats` shows them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BalancerStats {
    /// Time since its start.
    pub uptime_ms: f64,
    /// Backends that are ready now.
    pub ready: u64,
    /// How many were ready since when; the latest 10,000 changes.
    pub ready_over_time: VecDeque<ReadyBackends>,
    /// Its backends, in the order of its flags.
    pub backends: Vec<BackendStats>,
    /// Requests, without those for its own counts.
    pub requests: u64,
    /// Answers by status, its own included.
    pub requests_by_status: BTreeMap<String, u64>,
    /// Connections to backends that it opened for requests.
    #[serde(default)]
    pub connections: u64,
    /// Requests that it answered 503, because no backend was ready.
    pub no_backend: u64,
    /// Requests that it answered 502, because the backend failed, by cause.
    pub bad_gateway: BTreeMap<String, u64>,
    /// Requests that it answered 504, because the backend sent nothing for too long.
    pub silent: u64,
    /// Answers that it cut, because the backend went silent in the middle.
    pub cut: u64,
    /// Answers that ended early, because the backend closed its connection.
    pub broken_off: u64,
    /// Requests whose client closed its connection before it had the whole answer.
    pub disconnected: u64,
}

/// How many backends were ready from a time on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReadyBackends {
    /// Since the balancer's start.
    pub at_ms: f64,
    /// Backends.
    pub ready: u64,
}

/// The counts of one backend.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BackendStats {
    /// Its URL.
    pub url: String,
    /// Whether it gets requests.
    pub ready: bool,
    /// Requests that it got.
    pub requests: u64,
}

impl BalancerStats {
    /// Requests that it answered 502.
    #[must_use]
    pub fn bad_gateways(&self) -> u64 {
        self.bad_gateway.values().sum()
    }
}

/// The number of ready backends over time.
#[derive(Debug)]
pub(super) struct ReadyLog {
    origin: Instant,
    changes: VecDeque<ReadyBackends>,
}

impl ReadyLog {
    pub(super) fn new() -> Self {
        let nothing_yet = ReadyBackends { at_ms: 0.0, ready: 0 };
        ReadyLog { origin: Instant::now(), changes: VecDeque::from([nothing_yet]) }
    }

    pub(super) fn note(&mut self, ready: u64) {
        if self.changes.back().is_some_and(|last| last.ready == ready) {
            return;
        }
        if self.changes.len() == CHANGES_KEPT {
            self.changes.pop_front();
        }
        self.changes.push_back(ReadyBackends { at_ms: in_millis(self.origin.elapsed()), ready });
    }

    pub(super) fn uptime_ms(&self) -> f64 {
        in_millis(self.origin.elapsed())
    }

    pub(super) fn changes(&self) -> VecDeque<ReadyBackends> {
        self.changes.clone()
    }
}
