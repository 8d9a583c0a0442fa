//! The metrics of the database.

use gateway::DatabasePoolMetrics;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

/// The metrics of the database of keys and sessions. Clones share their counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct DatabaseMetrics {
    pub(super) pool: DatabasePoolMetrics,
    results_dropped: Counter,
    rows_removed: Counter,
}

impl DatabaseMetrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        self.pool.register(registry);
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

    /// Counts a result that is lost.
    pub(crate) fn result_dropped(&self) {
        self.results_dropped.inc();
    }

    /// Counts rows that were removed.
    pub(crate) fn rows_removed(&self, rows: u64) {
        self.rows_removed.inc_by(rows);
    }
}
