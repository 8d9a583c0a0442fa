//! What all requests share.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use gateway::Users;
use resilience::{
    Admission, AdmissionLimits, Breaker, ErrorRate, Hysteresis, InvalidSetting, OutcomeGuard, RetryPolicy, SingleFlight,
};
use tokio_util::sync::CancellationToken;

use crate::body_memory::BodyMemory;
use crate::call::Call;
use crate::chat::ChatReader;
use crate::errors::Failure;
use crate::look_ups::LookUps;
use crate::outcome::{self, Outcome};
use crate::sessions::{KeyId, OpenError, Sessions};
use crate::settings::{Limits, Origin, Settings};
use crate::telemetry::Metrics;
use crate::upstream::Upstream;

/// The time over which the vendor's failures are counted for `/ready`.
const ERRORS_SPAN: Duration = Duration::from_secs(10);

/// Calls in that time below which the error rate says nothing.
const ERRORS_MIN_CALLS: u64 = 10;

/// Why a server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The client for the vendor could not be set up.
    #[error("cannot set up the vendor's client: {0}")]
    Client(#[from] reqwest::Error),
    /// A limit has a value that cannot be enforced.
    #[error("cannot set up the limits: {0}")]
    Limits(#[from] InvalidSetting),
    /// The database could not be opened.
    #[error(transparent)]
    Database(#[from] OpenError),
}

/// What all requests share. It is made once, at the start: a limit made for each request would limit nothing.
#[derive(Debug)]
pub(crate) struct AppState {
    pub(crate) limits: Limits,
    /// The limits of each user, if there are any.
    pub(crate) users: Option<Users<KeyId>>,
    /// The memory for the bodies of requests.
    pub(crate) body_memory: Arc<BodyMemory>,
    pub(crate) chat_reader: Arc<ChatReader>,
    pub(crate) retry: RetryPolicy,
    /// Off by default.
    pub(crate) breaker: Option<Breaker>,
    pub(crate) admission: Admission,
    /// The most tokens that one call can reserve, if tokens are limited.
    pub(crate) tokens_max: Option<u64>,
    pub(crate) upstream: Upstream,
    pub(crate) look_ups: LookUps,
    /// Measures how long the blocking pool takes for a small task.
    pub(crate) pool_probe: SingleFlight<Duration>,
    pub(crate) metrics: Arc<Metrics>,
    /// The share of recent calls that the vendor failed.
    pub(crate) errors: Arc<ErrorRate>,
    /// Set over 80 % use of the queue, cleared under 50 %: with one threshold `/ready` would flap.
    pub(crate) overloaded: Hysteresis,
    /// The share of failed calls over which the server is not ready, if one is set.
    pub(crate) failing: Option<Hysteresis>,
    /// Cancelled when shutdown begins: the server is no longer ready and takes no new calls.
    pub(crate) draining: CancellationToken,
    /// Cancelled when the shutdown grace is over: calls end with an error.
    pub(crate) grace_over: CancellationToken,
    pub(crate) sessions: Sessions,
    pub(crate) allow_mock_headers: bool,
    /// Origins whose pages may call the server.
    pub(crate) cors_origins: Vec<Origin>,
}

/// The state as the handlers get it.
pub(crate) type Shared = Arc<AppState>;

impl AppState {
    /// # Errors
    /// See [`StartError`].
    pub(crate) fn new(settings: &Settings, mut metrics: Metrics, sessions: Sessions) -> Result<Self, StartError> {
        let counter = settings.count_tokens.then(|| metrics.token_counter());
        let limits = settings.limits.clone();
        // ANCHOR: per-request-limits
        // FIX per-request-limits: made once, at the start, for all calls. Each of them asks this one for its permit.
        // ANCHOR: unbounded-queue
        let of_all = AdmissionLimits {
            // FIX client-pool: the one limit on calls at once. The vendor's client has no limit on connections, so no call waits
            // for anything else, and one that gets no permit is rejected as this server's own overload.
            max_in_flight: limits.call.max_in_flight,
            // FIX unbounded-queue: a limit on how many wait, and for how long. A request that is predicted to wait longer is
            // rejected at once, while its client can still go elsewhere.
            max_queued: limits.call.max_queued,
            timeout: limits.call.queue_timeout,
            // ANCHOR: bursty-limiter
            // FIX bursty-limiter: a small burst, and the rest of the quota spread evenly. Together they are no more than the
            // quota in every window of its length, in which a bucket as large as the quota lets nearly two of them through.
            requests: limits.quota.kept(),
            // ANCHOR_END: bursty-limiter
            tokens: limits.token_quota.kept(),
        };
        // ANCHOR_END: unbounded-queue
        let admission = Admission::with_classes(of_all, limits.quota.kept_of_models());
        // ANCHOR_END: per-request-limits
        Ok(AppState {
            users: Users::new(&limits.users),
            body_memory: BodyMemory::new(&limits),
            chat_reader: Arc::new(ChatReader::new(counter)),
            retry: limits.call.retry_policy()?,
            breaker: breaker(&limits)?,
            admission,
            tokens_max: limits.token_quota.kept().map(|(_, burst)| burst.get()),
            upstream: Upstream::new(&settings.upstream, settings.upstream_api_key.as_ref(), &limits)?,
            look_ups: LookUps::default(),
            pool_probe: SingleFlight::default(),
            metrics: Arc::new(metrics),
            errors: Arc::new(ErrorRate::new(ERRORS_SPAN, ERRORS_MIN_CALLS)?),
            overloaded: Hysteresis::new(0.8, 0.5),
            failing: limits.ready_on_error_rate.0.map(|share| Hysteresis::new(share, share / 2.0)),
            draining: CancellationToken::new(),
            grace_over: CancellationToken::new(),
            sessions,
            allow_mock_headers: settings.allow_mock_headers,
            cors_origins: settings.cors_origins.clone(),
            limits,
        })
    }

    /// Begins a request for the model, which from here on ends in exactly one outcome.
    ///
    /// # Errors
    /// [`Failure::ShuttingDown`] after shutdown has begun.
    pub(crate) fn begin(&self, call: &Call) -> Result<OutcomeGuard<Outcome>, Failure> {
        self.metrics.llm.call();
        let outcome = outcome::guard(&self.metrics.llm, &self.errors, call);
        if self.draining.is_cancelled() {
            outcome.record(Outcome::ShuttingDown);
            return Err(Failure::ShuttingDown);
        }
        Ok(outcome)
    }
}

fn breaker(limits: &Limits) -> Result<Option<Breaker>, InvalidSetting> {
    let Some(failures) = limits.breaker_failures.0 else { return Ok(None) };
    let failures = NonZeroU32::try_from(failures).unwrap_or(NonZeroU32::MAX);
    Breaker::new(failures, limits.breaker_open_time).map(Some)
}
