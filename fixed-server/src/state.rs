use std::sync::Arc;

use resilience::{Admission, Hysteresis, OutcomeGuard, QueueLimits};
use tokio_util::sync::CancellationToken;

use crate::api::LookUps;
use crate::errors::Failure;
use crate::outcome::{self, Outcome};
use crate::settings::{Limits, Settings};
use crate::telemetry::Metrics;
use crate::upstream::Upstream;

/// What all requests share, made once at the start: limits that were made for each request would
/// limit nothing.
#[derive(Debug)]
pub(crate) struct AppState {
    pub(crate) upstream: Upstream,
    pub(crate) admission: Admission,
    pub(crate) limits: Limits,
    pub(crate) look_ups: LookUps,
    pub(crate) metrics: Arc<Metrics>,
    /// Over 80 % of the queue in use, until under 50 %: one mark would flutter, and a balancer with it.
    pub(crate) overloaded: Hysteresis,
    /// Cancelled when the server is told to stop: not ready any more, and no new calls.
    pub(crate) draining: CancellationToken,
    /// Cancelled when the time for an orderly end is over: calls end with an error.
    pub(crate) cut: CancellationToken,
    pub(crate) api_key: String,
    pub(crate) allow_mock_headers: bool,
}

/// What the handlers are given.
pub(crate) type Shared = Arc<AppState>;

impl AppState {
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub(crate) fn new(settings: &Settings) -> reqwest::Result<Self> {
        let limits = settings.limits.clone();
        let queue = QueueLimits { max_queued: limits.max_queued, timeout: limits.queue_timeout };
        Ok(AppState {
            upstream: Upstream::new(&settings.upstream, &limits)?,
            admission: Admission::new(limits.max_in_flight, queue),
            limits,
            look_ups: LookUps::default(),
            metrics: Arc::new(Metrics::new()),
            overloaded: Hysteresis::new(0.8, 0.5),
            draining: CancellationToken::new(),
            cut: CancellationToken::new(),
            api_key: settings.api_key.clone(),
            allow_mock_headers: settings.allow_mock_headers,
        })
    }

    /// Begins a request for the model. From here on it ends in exactly one outcome.
    ///
    /// # Errors
    /// [`Failure::ShuttingDown`] once the server has been told to stop.
    pub(crate) fn begin(&self, request_id: &str) -> Result<OutcomeGuard<Outcome>, Failure> {
        self.metrics.call();
        let outcome = outcome::guard(&self.metrics, request_id);
        if self.draining.is_cancelled() {
            outcome.record(Outcome::ShuttingDown);
            return Err(Failure::ShuttingDown);
        }
        Ok(outcome)
    }
}
