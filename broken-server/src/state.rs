//! What all requests share.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use gateway::{CallLimits, CallQuota, KeyHash, TokenCounter, Users};
use prometheus_client::registry::Registry;
use resilience::{Admission, Hysteresis, InvalidSetting, Permits, RetryPolicy};
use tokio_util::sync::CancellationToken;
use wire::BODY_BYTES_MAX;

use crate::database::{Database, OpenError};
use crate::errors::Failure;
use crate::metrics::Metrics;
use crate::pool::Pool;
use crate::settings::Settings;
use crate::upstream::{asynchronous, blocking};

/// Why the server could not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The client for the vendor could not be set up.
    #[error("cannot set up the vendor's client: {0}")]
    Client(#[from] reqwest::Error),
    /// A limit has a value that is not allowed.
    #[error("cannot set up the limits: {0}")]
    Limits(#[from] InvalidSetting),
    /// The database could not be opened.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The server could not start, or stopped without a signal.
    #[error("the server stopped: {0}")]
    Server(#[from] io::Error),
}

/// What all requests share, made once at the start.
#[derive(Debug)]
pub(crate) struct AppState {
    /// The vendor's client that blocks its thread.
    pub(crate) blocking: blocking::Client,
    /// The vendor's client that does not.
    pub(crate) asynchronous: asynchronous::Client,
    /// The blocking pool of the current worker.
    pub(crate) pool: Pool,
    /// Counts the tokens of prompts, if that is wanted.
    pub(crate) token_counter: Option<Arc<TokenCounter>>,
    /// Limits how many large requests are read at once.
    pub(crate) chat_reader: Permits,
    pub(crate) limits: CallLimits,
    pub(crate) quota: CallQuota,
    pub(crate) retry: RetryPolicy,
    /// After how long without a first token a stream begins with a comment.
    pub(crate) early_keep_alive: Option<Duration>,
    /// Shared by all workers: the vendor counts their calls together.
    pub(crate) admission: Admission,
    /// The limits of each user, if there are any.
    pub(crate) users: Option<Users<KeyHash>>,
    /// Over 80 % of the queue in use, until under 50 %: with one threshold `/ready` would flap, and a load balancer with it.
    pub(crate) overloaded: Hysteresis,
    pub(crate) metrics: Metrics,
    pub(crate) registry: Registry,
    /// Cancelled when a shutdown begins: `/ready` says no, and new calls are rejected.
    pub(crate) draining: CancellationToken,
    /// Cancelled when the shutdown grace is over: calls end with an error.
    pub(crate) grace_over: CancellationToken,
    /// How long the body of a request may take.
    pub(crate) read_timeout: Duration,
    /// Largest body of a request to OpenAI's routes, in bytes.
    pub(crate) max_body_bytes: usize,
    /// The keys, and how many calls each has made.
    pub(crate) database: Database,
    pub(crate) allow_mock_headers: bool,
}

impl AppState {
    /// With these limits of all users together and of each.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up, a limit has a value that is not allowed, or the database cannot be opened.
    pub(crate) async fn new(
        settings: &Settings,
        admission: Admission,
        users: Option<Users<KeyHash>>,
    ) -> Result<Self, StartError> {
        let limits = settings.limits.clone();
        let mut registry = Registry::default();
        let metrics = Metrics::new(&mut registry);
        let acquire_timeout = settings.database.acquire_timeout(&limits);
        let keys = &settings.api_keys;
        let database = Database::open(&settings.database, acquire_timeout, keys, metrics.database.clone()).await?;
        Ok(AppState {
            blocking: blocking::Client::new(settings, settings.upstream_limits),
            asynchronous: asynchronous::Client::new(settings, settings.upstream_limits)?,
            pool: Pool::new(i64::from(settings.workers) * i64::from(settings.blocking_threads), &mut registry),
            token_counter: settings.count_tokens.then(|| Arc::new(TokenCounter::new(&mut registry))),
            chat_reader: Permits::new(NonZeroUsize::MIN),
            retry: limits.retry_policy()?,
            early_keep_alive: settings.early_keep_alive.interval.0,
            limits,
            quota: settings.quota.clone(),
            admission,
            users,
            overloaded: Hysteresis::new(0.8, 0.5),
            metrics,
            registry,
            draining: CancellationToken::new(),
            grace_over: CancellationToken::new(),
            read_timeout: settings.read_timeout,
            max_body_bytes: settings.max_body_bytes.0,
            database,
            allow_mock_headers: settings.allow_mock_headers,
        })
    }

    /// Largest body of a request to a route that is not OpenAI's, in bytes.
    pub(crate) fn own_body_bytes(&self) -> usize {
        self.max_body_bytes.min(BODY_BYTES_MAX)
    }

    /// Waits for `call`, but not beyond the shutdown grace.
    ///
    /// # Errors
    /// The error of the call, or [`Failure::ShuttingDown`].
    pub(crate) async fn until_grace_over<T>(
        &self,
        call: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            // Calls fail too when the grace is over: they failed because of it.
            biased;
            () = self.grace_over.cancelled() => Err(Failure::ShuttingDown),
            result = call => result,
        }
    }
}
