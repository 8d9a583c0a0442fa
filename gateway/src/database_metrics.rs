//! The metrics of a pool of connections to a database.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The metrics of a pool of connections to a database. Clones share their counts.
#[derive(Debug, Clone, Default)]
pub struct DatabasePoolMetrics {
    connections: Gauge,
    in_use: Gauge,
    acquire_timeouts: Counter,
    failures: Counter,
}

impl DatabasePoolMetrics {
    /// Registers the metrics in `registry`.
    pub fn register(&self, registry: &mut Registry) {
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
    }

    /// Sets the gauges of a pool with this many `open` connections, of which so many are `idle`.
    pub fn set_connections(&self, open: usize, idle: usize) {
        let count = |number| i64::try_from(number).unwrap_or(i64::MAX);
        self.connections.set(count(open));
        self.in_use.set(count(open.saturating_sub(idle)));
    }

    /// Counts a statement that got no connection in time.
    pub fn acquire_timeout(&self) {
        self.acquire_timeouts.inc();
    }

    /// Counts a statement that failed or timed out.
    pub fn failure(&self) {
        self.failures.inc();
    }
}
