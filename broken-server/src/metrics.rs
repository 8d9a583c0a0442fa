//! The metrics of this server, apart from those of the pool.

use std::sync::Arc;

use gateway::{DatabasePoolMetrics, HttpMetrics, LlmMetrics, LogLinesDropped, WorkersKilled};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

/// The metrics of all requests.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) llm: Arc<LlmMetrics>,
    pub(crate) http: HttpMetrics,
    pub(crate) database: DatabasePoolMetrics,
    write_timeouts: Counter,
}

impl Metrics {
    /// Registers the metrics in `registry`.
    pub(crate) fn new(registry: &mut Registry) -> Self {
        registry.register_collector(Box::new(LogLinesDropped));
        registry.register_collector(Box::new(WorkersKilled));
        let write_timeouts = Counter::default();
        let help = "Connections closed because their client did not read";
        registry.register("write_timeouts", help, write_timeouts.clone());
        let database = DatabasePoolMetrics::default();
        database.register(registry);
        Metrics { database, llm: Arc::new(LlmMetrics::new(registry)), http: HttpMetrics::new(registry), write_timeouts }
    }

    /// Counts a connection that was closed because its client did not read.
    pub(crate) fn write_timeout(&self) {
        self.write_timeouts.inc();
    }
}
