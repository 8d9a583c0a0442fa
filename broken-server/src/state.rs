//! What all requests share.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use resilience::{Admission, AdmissionLimits, Backoff, BudgetLimits, Hysteresis, RetryBudget};
use tokio_util::sync::CancellationToken;
use wire::BODY_BYTES_MAX;

use crate::app::RunError;
use crate::errors::Failure;
use crate::metrics::{CallGuard, Metrics};
use crate::pool::Pool;
use crate::settings::{CallLimits, Settings};
use crate::upstream::{Limits, asynchronous, blocking};

/// What all requests share, made once at the start.
#[derive(Debug)]
pub(crate) struct AppState {
    /// The vendor by a client that blocks its thread.
    pub(crate) blocking: blocking::Client,
    /// The vendor by a client that does not.
    pub(crate) asynchronous: asynchronous::Client,
    /// The blocking pool of the worker that asks.
    pub(crate) pool: Pool,
    pub(crate) limits: CallLimits,
    pub(crate) backoff: Backoff,
    pub(crate) budget: RetryBudget,
    /// One for all workers: the vendor counts them together.
    pub(crate) admission: Admission,
    /// Over 80 % of the queue in use, until under 50 %: one mark would flutter, and a balancer with it.
    pub(crate) overloaded: Hysteresis,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) registry: Registry,
    /// Cancelled when the server is told to stop: not ready any more, and no new calls.
    pub(crate) draining: CancellationToken,
    /// Cancelled when the time for an orderly end is over: calls end with an error.
    pub(crate) cut: CancellationToken,
    /// For the body of a request to come.
    pub(crate) read_timeout: Duration,
    /// Largest body of a request to OpenAI's routes, in bytes.
    pub(crate) max_body_bytes: usize,
    pub(crate) api_key: String,
    pub(crate) allow_mock_headers: bool,
}

impl AppState {
    /// # Errors
    /// When the HTTP client cannot be set up, or a limit is not what its primitive takes.
    pub(crate) fn new(settings: &Settings) -> Result<Self, RunError> {
        let of_client = Limits::of(settings);
        let limits = settings.limits.clone();
        let admission = Admission::new(AdmissionLimits {
            max_in_flight: limits.max_in_flight,
            max_queued: limits.max_queued,
            timeout: limits.queue_timeout,
            requests: None,
            tokens: None,
        });
        let budget = BudgetLimits {
            share_percent: limits.retry_budget,
            reserve_per_second: limits.retry_reserve,
            ..BudgetLimits::default()
        };
        let mut registry = Registry::default();
        Ok(AppState {
            blocking: blocking::Client::new(settings, of_client),
            asynchronous: asynchronous::Client::new(settings, of_client)?,
            pool: Pool::new(i64::from(settings.workers) * i64::from(settings.blocking_threads), &mut registry),
            limits,
            backoff: Backoff::default(),
            budget: RetryBudget::new(budget)?,
            admission,
            overloaded: Hysteresis::new(0.8, 0.5),
            metrics: Arc::new(Metrics::new(&mut registry)),
            registry,
            draining: CancellationToken::new(),
            cut: CancellationToken::new(),
            read_timeout: settings.read_timeout,
            max_body_bytes: settings.max_body_bytes.0,
            api_key: settings.api_key.clone(),
            allow_mock_headers: settings.allow_mock_headers,
        })
    }

    /// Largest body of a request to a route of the server's own, in bytes.
    pub(crate) fn own_body_bytes(&self) -> usize {
        self.max_body_bytes.min(BODY_BYTES_MAX)
    }

    /// Begins a request for the model. From here on it ends in exactly one outcome.
    ///
    /// # Errors
    /// [`Failure::ShuttingDown`] once the server has been told to stop.
    pub(crate) fn begin_call(&self, request_id: &str) -> Result<CallGuard, Failure> {
        let mut guard = CallGuard::begin(Arc::clone(&self.metrics), request_id.to_owned());
        if self.draining.is_cancelled() {
            guard.failed(&Failure::ShuttingDown);
            return Err(Failure::ShuttingDown);
        }
        Ok(guard)
    }

    /// Waits for `call`, but not beyond the time for an orderly end.
    ///
    /// # Errors
    /// Those of the call, and [`Failure::ShuttingDown`].
    pub(crate) async fn until_cut<T>(&self, call: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        tokio::select! {
            // The cut makes calls fail as well; they failed because of it.
            biased;
            () = self.cut.cancelled() => Err(Failure::ShuttingDown),
            result = call => result,
        }
    }
}
