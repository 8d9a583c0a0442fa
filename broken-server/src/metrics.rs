//! The metrics of this server, apart from those of the pool.

use std::sync::Arc;

use gateway::{HttpMetrics, LlmMetrics, LogLinesDropped};
use prometheus_client::registry::Registry;

/// The metrics of all requests.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) llm: Arc<LlmMetrics>,
    pub(crate) http: HttpMetrics,
}

impl Metrics {
    /// Registers the metrics in `registry`.
    pub(crate) fn new(registry: &mut Registry) -> Self {
        registry.register_collector(Box::new(LogLinesDropped));
        Metrics { llm: Arc::new(LlmMetrics::new(registry)), http: HttpMetrics::new(registry) }
    }
}
