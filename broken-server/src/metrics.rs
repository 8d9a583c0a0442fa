mod call_guard;

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

pub(crate) use call_guard::CallGuard;

use crate::errors::Failure;

/// Content type of `/metrics`.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The server's metrics, beside those of the pool.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    calls: Counter,
    errors: Family<ErrorLabels, Counter>,
    disconnects: Counter,
    concurrent: Gauge,
    open_streams: Gauge,
    duration: Histogram,
    first_token: Histogram,
    inter_token: Histogram,
    requests: Family<RequestLabels, Counter>,
    request_duration: Family<RequestLabels, Histogram, fn() -> Histogram>,
}

/// Bounded: the kinds of [`Failure`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabels {
    r#type: &'static str,
}

/// Bounded: the routes of this server, not the paths that clients ask for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: u16,
}

impl Metrics {
    /// Names the metrics in `registry`.
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let metrics = Metrics {
            calls: Counter::default(),
            errors: Family::default(),
            disconnects: Counter::default(),
            concurrent: Gauge::default(),
            open_streams: Gauge::default(),
            duration: seconds(),
            first_token: seconds(),
            inter_token: seconds(),
            requests: Family::default(),
            request_duration: Family::new_with_constructor(seconds),
        };
        for r#type in Failure::CALL_KINDS {
            // Shown as 0 from the start: a counter that appears with its first error shows no rise.
            drop(metrics.errors.get_or_create(&ErrorLabels { r#type }));
        }
        let all = metrics.clone();
        registry.register("llm_calls", "Calls to the vendor asked for, also those that wait for a thread", all.calls);
        registry.register("llm_errors", "Calls that failed, by cause", all.errors);
        registry.register("llm_disconnects", "Calls whose client left before their end", all.disconnects);
        registry.register("llm_concurrent_calls", "Calls under way, also those that wait", all.concurrent);
        registry.register("llm_open_streams", "Streams between first token and end", all.open_streams);
        registry.register("llm_call_duration_seconds", "From the request to the end of its call", all.duration);
        registry.register("llm_time_to_first_token_seconds", "From the request to its first token", all.first_token);
        registry.register("llm_inter_token_seconds", "From one token of a stream to the next", all.inter_token);
        registry.register("http_requests", "Requests by route and status", all.requests);
        registry.register(
            "http_request_duration_seconds",
            "From the request to the answer's head",
            all.request_duration,
        );
        metrics
    }

    /// Counts an answered request; `route` is a pattern, never a path.
    pub(crate) fn request(&self, route: String, status: u16, took: Duration) {
        let labels = RequestLabels { route, status };
        self.requests.get_or_create(&labels).inc();
        self.request_duration.get_or_create(&labels).observe(took.as_secs_f64());
    }
}

/// `registry` in the OpenMetrics text format.
pub(crate) fn render(registry: &Registry) -> String {
    let mut text = String::new();
    encode(&mut text, registry).unwrap_or_else(|error| unreachable!("writing to a String fails never: {error}"));
    text
}

/// A histogram from 1 ms to 65 s.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 17))
}
