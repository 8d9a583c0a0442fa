//! Counters, gauges and histograms of `/metrics`.

mod active_call;
mod call_guard;

use std::time::Duration;

use gateway::LogLinesDropped;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use resilience::QueueWait;
use wire::outcome::Outcome;

pub(crate) use active_call::ActiveCall;
pub(crate) use call_guard::CallGuard;

/// The server's metrics, beside those of the pool.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    calls: Counter,
    errors: Family<ErrorLabels, Counter>,
    outcomes: Family<OutcomeLabels, Counter>,
    disconnects: Counter,
    queue_timeouts: Counter,
    call_timeouts: Counter,
    retries: Counter,
    retries_refused: Counter,
    permit_wait: Histogram,
    rate_wait: Histogram,
    queued: Gauge,
    concurrent: Gauge,
    open_streams: Gauge,
    duration: Histogram,
    first_token: Histogram,
    inter_token: Histogram,
    requests: Family<RequestLabels, Counter>,
    request_duration: Family<RequestLabels, Histogram, fn() -> Histogram>,
}

/// Bounded: the outcomes that are errors.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabels {
    r#type: &'static str,
}

/// Bounded: [`Outcome::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
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
            outcomes: Family::default(),
            disconnects: Counter::default(),
            queue_timeouts: Counter::default(),
            call_timeouts: Counter::default(),
            retries: Counter::default(),
            retries_refused: Counter::default(),
            permit_wait: seconds(),
            rate_wait: seconds(),
            queued: Gauge::default(),
            concurrent: Gauge::default(),
            open_streams: Gauge::default(),
            duration: seconds(),
            first_token: seconds(),
            inter_token: seconds(),
            requests: Family::default(),
            request_duration: Family::new_with_constructor(seconds),
        };
        // Shown as 0 from the start: a counter that appears with its first event shows no rise.
        for outcome in Outcome::ALL {
            drop(metrics.outcomes.get_or_create(&OutcomeLabels { outcome: outcome.as_str() }));
            if outcome.is_error() {
                drop(metrics.errors.get_or_create(&ErrorLabels { r#type: outcome.as_str() }));
            }
        }
        metrics.clone().register(registry);
        metrics
    }

    fn register(self, registry: &mut Registry) {
        registry.register("llm_calls", "Requests for the model, also those that wait", self.calls);
        registry.register("llm_errors", "Requests for the model that failed, by cause", self.errors);
        registry.register("llm_outcomes", "Requests for the model that ended, by how", self.outcomes);
        registry.register("llm_disconnects", "Requests whose client left before their end", self.disconnects);
        registry.register(
            "llm_concurrent_calls",
            "Permits held; where there are none, requests for the model under way, also those that wait",
            self.concurrent,
        );
        registry.register("llm_open_streams", "Streams between first token and end", self.open_streams);
        registry.register(
            "llm_call_duration_seconds",
            "From the permit, or where there is none from the request, to the end of the call or stream",
            self.duration,
        );
        registry.register("llm_time_to_first_token_seconds", "From the request to its first token", self.first_token);
        registry.register("llm_inter_token_seconds", "From one token of a stream to the next", self.inter_token);
        // Of the limits. A mistake without any has them at rest.
        registry.register("llm_queue_length", "Requests that wait for a permit", self.queued);
        registry.register("llm_queue_timeout", "Requests that got no turn in time", self.queue_timeouts);
        registry.register("llm_call_timeout", "Calls in which the vendor was too slow", self.call_timeouts);
        registry.register("llm_retries", "Attempts after a request's first", self.retries);
        let refused = self.retries_refused;
        registry.register("llm_retries_refused", "Attempts that were not made for want of budget", refused);
        let permit_wait = self.permit_wait;
        registry.register("llm_semaphore_wait_seconds", "What a request waited for a permit", permit_wait);
        let rate_wait = self.rate_wait;
        registry.register("llm_rate_limit_wait_seconds", "What a request waited for a rate; there is none", rate_wait);
        registry.register_collector(Box::new(LogLinesDropped));
        registry.register("http_requests", "Requests by route and status", self.requests);
        registry.register(
            "http_request_duration_seconds",
            "From the request to the answer's head",
            self.request_duration,
        );
    }

    /// Counts a request for the model that has ended.
    fn outcome(&self, outcome: Outcome) {
        self.outcomes.get_or_create(&OutcomeLabels { outcome: outcome.as_str() }).inc();
        match outcome {
            Outcome::Disconnected => self.disconnects.inc(),
            Outcome::QueueTimeout => self.queue_timeouts.inc(),
            Outcome::CallTimeout => self.call_timeouts.inc(),
            _ => 0,
        };
        if outcome.is_error() {
            self.errors.get_or_create(&ErrorLabels { r#type: outcome.as_str() }).inc();
        }
    }

    /// Counts how long a request waited for its turn, and for which part of it, if it got one.
    pub(crate) fn waited(&self, whole: Duration, parts: Option<QueueWait>) {
        let QueueWait { for_rate, for_permit } =
            parts.unwrap_or(QueueWait { for_rate: Duration::ZERO, for_permit: whole });
        self.permit_wait.observe(for_permit.as_secs_f64());
        self.rate_wait.observe(for_rate.as_secs_f64());
    }

    /// Shows how many requests wait for a permit.
    pub(crate) fn set_queued(&self, queued: usize) {
        self.queued.set(i64::try_from(queued).unwrap_or(i64::MAX));
    }

    /// Counts an attempt after the first.
    pub(crate) fn retry(&self) {
        self.retries.inc();
    }

    /// Counts an attempt that the budget did not allow.
    pub(crate) fn retry_refused(&self) {
        self.retries_refused.inc();
    }

    /// Counts an answered request; `route` is a pattern, never a path.
    pub(crate) fn request(&self, route: String, status: u16, took: Duration) {
        let labels = RequestLabels { route, status };
        self.requests.get_or_create(&labels).inc();
        self.request_duration.get_or_create(&labels).observe(took.as_secs_f64());
    }
}

/// A histogram from 1 ms to 65 s.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 17))
}
