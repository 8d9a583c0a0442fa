//! What is counted: `/metrics`.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use gateway::LogLinesDropped;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use resilience::{BreakerState, QueueWait};
use tokio::runtime::Handle;
use wire::outcome::Outcome;

use crate::sessions::DatabaseMetrics;
use crate::state::AppState;
use crate::users::Users;

/// Content type of `/metrics`.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The server's metrics. The names that begin with `llm_` are the source's where it has one.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    calls: Counter,
    errors: Family<ErrorLabels, Counter>,
    outcomes: Family<OutcomeLabels, Counter>,
    disconnects: Counter,
    queue_timeouts: Counter,
    call_timeouts: Counter,
    duration: Histogram,
    permit_wait: Histogram,
    rate_wait: Histogram,
    retries: Counter,
    retries_refused: Counter,
    first_token: Histogram,
    inter_token: Histogram,
    concurrent: Gauge,
    queued: Gauge,
    open_streams: Gauge,
    users: Gauge,
    body_bytes: Gauge,
    /// 0 while closed and where there is none, 1 while open, 0.5 while half-open.
    breaker_open: Gauge<f64, AtomicU64>,
    connections: Gauge,
    tasks: Gauge,
    accept_errors: Counter,
    write_timeouts: Counter,
    requests: Family<RequestLabels, Counter>,
    request_duration: Family<RequestLabels, Histogram, fn() -> Histogram>,
    /// Counted where the database is used.
    pub(crate) database: DatabaseMetrics,
}

/// Bounded: the outcomes that are failures.
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
    /// All metrics, at zero.
    pub(crate) fn new() -> Self {
        let mut metrics = Metrics {
            registry: Registry::default(),
            calls: Counter::default(),
            errors: Family::default(),
            outcomes: Family::default(),
            disconnects: Counter::default(),
            queue_timeouts: Counter::default(),
            call_timeouts: Counter::default(),
            duration: seconds(),
            permit_wait: seconds(),
            rate_wait: seconds(),
            retries: Counter::default(),
            retries_refused: Counter::default(),
            first_token: seconds(),
            inter_token: seconds(),
            concurrent: Gauge::default(),
            queued: Gauge::default(),
            open_streams: Gauge::default(),
            users: Gauge::default(),
            body_bytes: Gauge::default(),
            breaker_open: Gauge::default(),
            connections: Gauge::default(),
            tasks: Gauge::default(),
            accept_errors: Counter::default(),
            write_timeouts: Counter::default(),
            requests: Family::default(),
            request_duration: Family::new_with_constructor(seconds),
            database: DatabaseMetrics::default(),
        };
        // Shown as 0 from the start: a counter that appears with its first event shows no rise.
        for outcome in Outcome::ALL {
            drop(metrics.outcomes.get_or_create(&OutcomeLabels { outcome: outcome.as_str() }));
            if outcome.is_error() {
                drop(metrics.errors.get_or_create(&ErrorLabels { r#type: outcome.as_str() }));
            }
        }
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("llm_calls", "Requests for the model that were begun", self.calls.clone());
        registry.register("llm_errors", "Requests for the model that failed, by cause", self.errors.clone());
        registry.register("llm_outcomes", "Requests for the model that ended, by how", self.outcomes.clone());
        registry.register("llm_disconnects", "Requests whose client left before their end", self.disconnects.clone());
        registry.register("llm_queue_timeout", "Requests that got no turn in time", self.queue_timeouts.clone());
        registry.register("llm_call_timeout", "Calls in which the vendor was too slow", self.call_timeouts.clone());
        registry.register(
            "llm_call_duration_seconds",
            "From the permit to the end of the call or stream",
            self.duration.clone(),
        );
        registry.register("llm_retries", "Attempts after a request's first", self.retries.clone());
        let refused = self.retries_refused.clone();
        registry.register("llm_retries_refused", "Attempts that were not made for want of budget", refused);
        registry.register(
            "llm_semaphore_wait_seconds",
            "Of the wait for a turn, what was for a permit; all of it, where none came",
            self.permit_wait.clone(),
        );
        registry.register(
            "llm_rate_limit_wait_seconds",
            "Of the wait for a turn, what was for the rate limits",
            self.rate_wait.clone(),
        );
        registry.register(
            "llm_time_to_first_token_seconds",
            "From the request to its first token",
            self.first_token.clone(),
        );
        registry.register(
            "llm_inter_token_seconds",
            "From one token of a stream to the next",
            self.inter_token.clone(),
        );
        registry.register("llm_concurrent_calls", "Permits held: calls and streams under way", self.concurrent.clone());
        registry.register("llm_queue_length", "Requests that wait for a permit", self.queued.clone());
        registry.register("llm_open_streams", "Streams between first token and end", self.open_streams.clone());
        let body_bytes = self.body_bytes.clone();
        registry.register("request_body_memory_bytes", "Memory that bodies of requests take just now", body_bytes);
        registry.register("llm_users", "Users that have limits of their own just now", self.users.clone());
        let breaker = self.breaker_open.clone();
        registry.register("llm_breaker_open", "1 while the vendor is not called, 0.5 while one call asks", breaker);
        registry.register_collector(Box::new(LogLinesDropped));
        registry.register("http_connections", "Connections of clients that are open", self.connections.clone());
        registry.register("runtime_tasks", "Tasks of the runtime that are alive", self.tasks.clone());
        registry.register("accept_errors", "Connections that could not be accepted", self.accept_errors.clone());
        let write_timeouts = self.write_timeouts.clone();
        registry.register("write_timeouts", "Connections closed because their client did not read", write_timeouts);
        registry.register("http_requests", "Requests by route and status", self.requests.clone());
        let duration = self.request_duration.clone();
        registry.register("http_request_duration_seconds", "From the request to the answer's head", duration);
        self.database.register(registry);
    }

    /// The OpenMetrics text, with `state` as it is now.
    pub(crate) fn render(&self, state: &AppState) -> String {
        let load = state.admission.load();
        state.sessions.count_connections();
        self.concurrent.set(count(load.held));
        self.body_bytes.set(count(state.body_memory.reserved()));
        self.users.set(count(state.users.as_ref().map_or(0, Users::count)));
        self.breaker_open.set(state.breaker.as_ref().map_or(0.0, |breaker| match breaker.report().state {
            BreakerState::Closed => 0.0,
            BreakerState::HalfOpen => 0.5,
            BreakerState::Open => 1.0,
        }));
        self.tasks.set(count(Handle::current().metrics().num_alive_tasks()));
        self.queued.set(count(load.queued));
        let mut text = String::new();
        encode(&mut text, &self.registry)
            .unwrap_or_else(|error| unreachable!("writing to a String fails never: {error}"));
        text
    }

    /// Counts a request for the model that begins.
    pub(crate) fn call(&self) {
        self.calls.inc();
    }

    /// Counts a request for the model that has ended.
    pub(crate) fn outcome(&self, outcome: Outcome) {
        self.outcomes.get_or_create(&OutcomeLabels { outcome: outcome.as_str() }).inc();
        match outcome {
            Outcome::Disconnected => {
                self.disconnects.inc();
            }
            Outcome::QueueTimeout => {
                self.queue_timeouts.inc();
            }
            Outcome::CallTimeout => {
                self.call_timeouts.inc();
            }
            _ => {}
        }
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

    /// Counts an attempt after the first.
    pub(crate) fn retry(&self) {
        self.retries.inc();
    }

    /// Counts an attempt that the budget did not allow.
    pub(crate) fn retry_refused(&self) {
        self.retries_refused.inc();
    }

    /// Counts a call that has given its permit back.
    pub(crate) fn call_ended(&self, took: Duration) {
        self.duration.observe(took.as_secs_f64());
    }

    /// Counts a stream whose first token took so long.
    pub(crate) fn stream_opened(&self, first_token: Duration) {
        self.open_streams.inc();
        self.first_token.observe(first_token.as_secs_f64());
    }

    /// Counts a token that came `gap` after the one before it.
    pub(crate) fn token(&self, gap: Duration) {
        self.inter_token.observe(gap.as_secs_f64());
    }

    /// Counts a stream that has ended.
    pub(crate) fn stream_ended(&self) {
        self.open_streams.dec();
    }

    /// Counts a connection that was closed because its client did not read.
    pub(crate) fn write_timeout(&self) {
        self.write_timeouts.inc();
    }

    /// Counts a connection that is open now.
    pub(crate) fn connection_opened(&self) {
        self.connections.inc();
    }

    /// Counts a connection that is closed.
    pub(crate) fn connection_closed(&self) {
        self.connections.dec();
    }

    /// Counts a connection that could not be accepted.
    pub(crate) fn accept_error(&self) {
        self.accept_errors.inc();
    }

    /// Counts a request that was answered, or given up with 499; `route` is a pattern, never a path.
    pub(crate) fn request(&self, route: String, status: u16, took: Duration) {
        let labels = RequestLabels { route, status };
        self.requests.get_or_create(&labels).inc();
        self.request_duration.get_or_create(&labels).observe(took.as_secs_f64());
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A histogram from 1 ms to 65 s.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 17))
}
