use std::sync::Arc;

use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;

use crate::errors::Failure;
use crate::metrics::{CallGuard, Metrics};
use crate::pool::Pool;
use crate::settings::Settings;
use crate::vendor::{Limits, asynchronous, blocking};

/// What all requests share, made once at the start.
#[derive(Debug)]
pub(crate) struct AppState {
    /// The vendor by a client that blocks its thread.
    pub(crate) blocking: blocking::Client,
    /// The vendor by a client that does not.
    pub(crate) asynchronous: asynchronous::Client,
    /// The blocking pool of the worker that asks.
    pub(crate) pool: Pool,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) registry: Registry,
    /// Cancelled when the server is told to stop: not ready any more, and no new calls.
    pub(crate) draining: CancellationToken,
    /// Cancelled when the time for an orderly end is over: calls end with an error.
    pub(crate) cut: CancellationToken,
    pub(crate) api_key: String,
    pub(crate) allow_mock_headers: bool,
}

impl AppState {
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub(crate) fn new(settings: &Settings) -> reqwest::Result<Self> {
        let limits = Limits::of(settings);
        let mut registry = Registry::default();
        Ok(AppState {
            blocking: blocking::Client::new(settings, limits),
            asynchronous: asynchronous::Client::new(settings, limits)?,
            pool: Pool::new(i64::from(settings.workers) * i64::from(settings.blocking_threads), &mut registry),
            metrics: Arc::new(Metrics::new(&mut registry)),
            registry,
            draining: CancellationToken::new(),
            cut: CancellationToken::new(),
            api_key: settings.api_key.clone(),
            allow_mock_headers: settings.allow_mock_headers,
        })
    }

    /// Counts a call that begins.
    ///
    /// # Errors
    /// [`Failure::ShuttingDown`] once the server has been told to stop.
    pub(crate) fn begin_call(&self, request_id: &str) -> Result<CallGuard, Failure> {
        if self.draining.is_cancelled() {
            return Err(Failure::ShuttingDown);
        }
        Ok(CallGuard::begin(Arc::clone(&self.metrics), request_id.to_owned()))
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
