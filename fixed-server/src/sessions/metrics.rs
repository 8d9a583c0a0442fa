//! The metrics of the database.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The metrics of the database of keys and sessions. Clones share their counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct DatabaseMetrics {
    connections: Gauge,
    in_use: Gauge,
    acquire_timeouts: Counter,
    failures: Counter,
    results_dropped: Counter,
    rows_removed: Counter,
}

impl DatabaseMetrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("database_connections", "Connections of the pool", self.connections.clone());
        registry.register(
            "database_connections_in_use",
            "Connections of the pool that are in use",
            self.in_use.clone(),
        );
        registry.register(
            "database_acquire_timeouts",
            "Statements that got no connection in time",
            self.acquire_timeouts.clone(),
        );
        registry.register(
            "database_failures",
            "Statements that failed or timed out, or whose new connection failed",
            self.failures.clone(),
        );
        registry.register(
            "session_results_dropped",
            "Results of sessions' calls that were not stored: the queue was full, or the database failed",
            self.results_dropped.clone(),
        );
        registry.register(
            "session_rows_removed",
            "Rows of results and sessions that were removed: over the retention, or the oldest of a full database in memory",
            self.rows_removed.clone(),
        );
    }

    /// Sets the gauges of the pool.
    pub(crate) fn connections(&self, open: usize, in_use: usize) {
        let count = |number| i64::try_from(number).unwrap_or(i64::MAX);
        self.connections.set(count(open));
        self.in_use.set(count(in_use));
    }

    /// Counts a statement that got no connection in time.
    pub(crate) fn acquire_timeout(&self) {
        self.acquire_timeouts.inc();
    }

    /// Counts a statement that failed or timed out.
    pub(crate) fn failure(&self) {
        self.failures.inc();
    }

    /// Counts a result that is lost.
    pub(crate) fn result_dropped(&self) {
        self.results_dropped.inc();
    }

    /// Counts rows that were removed.
    pub(crate) fn rows_removed(&self, rows: u64) {
        self.rows_removed.inc_by(rows);
    }
}
