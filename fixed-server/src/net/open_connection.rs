//! A client's connection, counted while it is open.

use std::sync::Arc;

use resilience::Permit;

use crate::telemetry::Metrics;

/// A client's connection, with its permit under `--max-connections`.
#[derive(Debug)]
pub(super) struct OpenConnection {
    metrics: Arc<Metrics>,
    _permit: Permit,
}

impl OpenConnection {
    /// A connection that was just accepted.
    pub(super) fn new(metrics: Arc<Metrics>, permit: Permit) -> Self {
        metrics.connection_opened();
        OpenConnection { metrics, _permit: permit }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.metrics.connection_closed();
    }
}
