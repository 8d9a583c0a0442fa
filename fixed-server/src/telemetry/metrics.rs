//! What is counted: of requests for the model and of HTTP by the crate `gateway`, the rest here.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use gateway::{HttpMetrics, LlmMetrics, LogLinesDropped, TokenCounter, WorkersKilled, metrics_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use resilience::BreakerState;

use crate::sessions::DatabaseMetrics;

/// The server's metrics.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) llm: Arc<LlmMetrics>,
    pub(crate) http: HttpMetrics,
    /// Counted where the database is used.
    pub(crate) database: DatabaseMetrics,
    users: Gauge,
    body_bytes: Gauge,
    breaker_open: Gauge<f64, AtomicU64>,
    connections: Gauge,
    tasks: Gauge,
    accept_errors: Counter,
    write_timeouts: Counter,
}

/// What is not counted as it happens, but read when `/metrics` is.
pub(crate) struct Gauges {
    /// Users with limits of their own.
    pub(crate) users: usize,
    /// Memory of requests' bodies, in bytes.
    pub(crate) body_bytes: usize,
    /// None where there is no breaker.
    pub(crate) breaker: Option<BreakerState>,
    /// Tasks of the runtime.
    pub(crate) tasks: usize,
}

impl Metrics {
    /// All metrics, at zero.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        let mut metrics = Metrics {
            llm: Arc::new(LlmMetrics::new(&mut registry)),
            http: HttpMetrics::new(&mut registry),
            database: DatabaseMetrics::default(),
            users: Gauge::default(),
            body_bytes: Gauge::default(),
            breaker_open: Gauge::default(),
            connections: Gauge::default(),
            tasks: Gauge::default(),
            accept_errors: Counter::default(),
            write_timeouts: Counter::default(),
            registry,
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        for (name, help, gauge) in [
            ("llm_users", "Users that have limits of their own at the moment", &self.users),
            ("request_body_memory_bytes", "Memory that the bodies of requests take at the moment", &self.body_bytes),
            ("http_connections", "Connections of clients that are open", &self.connections),
            ("runtime_tasks", "Tasks of the runtime that are alive", &self.tasks),
        ] {
            registry.register(name, help, gauge.clone());
        }
        for (name, help, counter) in [
            ("accept_errors", "Connections that could not be accepted", &self.accept_errors),
            ("write_timeouts", "Connections closed because their client did not read", &self.write_timeouts),
        ] {
            registry.register(name, help, counter.clone());
        }
        let breaker_open = self.breaker_open.clone();
        registry.register(
            "llm_breaker_open",
            "1 while the vendor is not called, 0.5 while one call probes it",
            breaker_open,
        );
        registry.register_collector(Box::new(LogLinesDropped));
        registry.register_collector(Box::new(WorkersKilled));
        self.database.register(registry);
    }

    /// A counter of tokens whose metrics are among these.
    pub(crate) fn token_counter(&mut self) -> TokenCounter {
        TokenCounter::new(&mut self.registry)
    }

    /// The OpenMetrics text.
    pub(crate) fn text(&self, gauges: &Gauges) -> String {
        self.users.set(count(gauges.users));
        self.body_bytes.set(count(gauges.body_bytes));
        self.breaker_open.set(match gauges.breaker {
            None | Some(BreakerState::Closed) => 0.0,
            Some(BreakerState::HalfOpen) => 0.5,
            Some(BreakerState::Open) => 1.0,
        });
        self.tasks.set(count(gauges.tasks));
        metrics_text(&self.registry)
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
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
