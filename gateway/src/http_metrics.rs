//! What is counted of HTTP, whatever a request is for.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::histogram::seconds;

/// Requests by route and status. Clones count together.
#[derive(Debug, Clone)]
pub struct HttpMetrics {
    requests: Family<Labels, Counter>,
    duration: Family<Labels, Histogram, fn() -> Histogram>,
}

/// Bounded: the routes of this server, not the paths that clients ask for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    route: String,
    status: u16,
}

impl HttpMetrics {
    /// The metrics of HTTP, named in `registry`.
    #[must_use]
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = HttpMetrics { requests: Family::default(), duration: Family::new_with_constructor(seconds) };
        registry.register("http_requests", "Requests by route and status", metrics.requests.clone());
        let duration = metrics.duration.clone();
        registry.register("http_request_duration_seconds", "From the request to the head of its answer", duration);
        metrics
    }

    /// Counts a request that was answered; `route` is a pattern, never a path.
    pub fn request(&self, route: String, status: u16, took: Duration) {
        let labels = Labels { route, status };
        self.requests.get_or_create(&labels).inc();
        self.duration.get_or_create(&labels).observe(took.as_secs_f64());
    }
}
