//! What is counted, beside what the pool counts.

use std::sync::Arc;

use gateway::{HttpMetrics, LlmMetrics, LogLinesDropped};
use prometheus_client::registry::Registry;

/// What all requests count.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) llm: Arc<LlmMetrics>,
    pub(crate) http: HttpMetrics,
}

impl Metrics {
    /// All at zero, named in `registry`.
    pub(crate) fn new(registry: &mut Registry) -> Self {
        registry.register_collector(Box::new(LogLinesDropped));
        Metrics { llm: Arc::new(LlmMetrics::new(registry)), http: HttpMetrics::new(registry) }
    }
}
