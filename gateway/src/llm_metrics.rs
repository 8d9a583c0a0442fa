//! What is counted of requests for the model: the metrics whose names begin with `llm_`.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use resilience::{NextAttempt, QueueWait};
use wire::outcome::Outcome;

use crate::histogram::seconds;

/// What is counted of requests for the model, and of the calls to the vendor that they lead to. The names are those of
/// the original where it has one.
#[derive(Debug)]
pub struct LlmMetrics {
    calls: Counter,
    errors: Family<ErrorLabels, Counter>,
    outcomes: Family<OutcomeLabels, Counter>,
    disconnects: Counter,
    queue_timeouts: Counter,
    call_timeouts: Counter,
    retries: Counter,
    retries_refused: Counter,
    rate_taken: Counter,
    permit_wait: Histogram,
    rate_wait: Histogram,
    queued: Gauge,
    concurrent: Gauge,
    duration: Histogram,
    open_streams: Gauge,
    first_token: Histogram,
    inter_token: Histogram,
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

impl LlmMetrics {
    /// The metrics at zero, named in `registry`.
    #[must_use]
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = LlmMetrics {
            calls: Counter::default(),
            errors: Family::default(),
            outcomes: Family::default(),
            disconnects: Counter::default(),
            queue_timeouts: Counter::default(),
            call_timeouts: Counter::default(),
            retries: Counter::default(),
            retries_refused: Counter::default(),
            rate_taken: Counter::default(),
            permit_wait: seconds(),
            rate_wait: seconds(),
            queued: Gauge::default(),
            concurrent: Gauge::default(),
            duration: seconds(),
            open_streams: Gauge::default(),
            first_token: seconds(),
            inter_token: seconds(),
        };
        // Shown as 0 from the start: a counter that appears with its first event shows no rise.
        for outcome in Outcome::ALL {
            drop(metrics.outcomes.get_or_create(&OutcomeLabels { outcome: outcome.as_str() }));
            if outcome.is_error() {
                drop(metrics.errors.get_or_create(&ErrorLabels { r#type: outcome.as_str() }));
            }
        }
        metrics.name_counters(registry);
        metrics.name_gauges_and_histograms(registry);
        metrics
    }

    fn name_counters(&self, registry: &mut Registry) {
        registry.register("llm_errors", "Requests for the model that failed, by cause", self.errors.clone());
        registry.register("llm_outcomes", "Requests for the model that ended, by outcome", self.outcomes.clone());
        for (name, help, counter) in [
            ("llm_calls", "Requests for the model, also those that wait", &self.calls),
            ("llm_disconnects", "Requests whose client disconnected before their end", &self.disconnects),
            ("llm_queue_timeout", "Requests that timed out waiting in the queue", &self.queue_timeouts),
            ("llm_call_timeout", "Requests that failed because the vendor was too slow", &self.call_timeouts),
            ("llm_retries", "Attempts after a request's first", &self.retries),
            ("llm_retries_refused", "Retries that the retry budget did not allow", &self.retries_refused),
            (
                "llm_rate_limit_taken",
                "Calls taken from the rate limits, whether or not they were made",
                &self.rate_taken,
            ),
        ] {
            registry.register(name, help, counter.clone());
        }
    }

    fn name_gauges_and_histograms(&self, registry: &mut Registry) {
        const CONCURRENT: &str =
            "Permits held by calls and streams; where there are no permits, requests for the model under way";
        for (name, help, gauge) in [
            ("llm_concurrent_calls", CONCURRENT, &self.concurrent),
            ("llm_queue_length", "Requests that wait for a permit", &self.queued),
            ("llm_open_streams", "Streams between first token and end", &self.open_streams),
        ] {
            registry.register(name, help, gauge.clone());
        }
        const DURATION: &str = "From the permit, or where there is none from the request, to the end of call or stream";
        const PERMIT_WAIT: &str = "Wait for a permit; of requests that got none, their whole wait";
        for (name, help, histogram) in [
            ("llm_call_duration_seconds", DURATION, &self.duration),
            ("llm_semaphore_wait_seconds", PERMIT_WAIT, &self.permit_wait),
            ("llm_rate_limit_wait_seconds", "Wait for the rate limits; 0 where there are none", &self.rate_wait),
            ("llm_time_to_first_token_seconds", "From the request to its first token", &self.first_token),
            ("llm_inter_token_seconds", "From one token of a stream to the next", &self.inter_token),
        ] {
            registry.register(name, help, histogram.clone());
        }
    }

    /// Counts a request for the model that begins.
    pub fn call(&self) {
        self.calls.inc();
    }

    /// Counts a request for the model that has ended.
    pub fn outcome(&self, outcome: Outcome) {
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

    /// Counts how long a request waited to be admitted, and what for if it was.
    pub fn waited(&self, whole: Duration, parts: Option<QueueWait>) {
        let only_permit = QueueWait { for_rate: Duration::ZERO, for_permit: whole };
        let QueueWait { for_rate, for_permit } = parts.unwrap_or(only_permit);
        self.permit_wait.observe(for_permit.as_secs_f64());
        self.rate_wait.observe(for_rate.as_secs_f64());
    }

    /// Counts a call that was taken from the rate limits.
    pub fn rate_taken(&self) {
        self.rate_taken.inc();
    }

    /// Sets how many requests wait for a permit.
    pub fn set_queued(&self, requests: usize) {
        self.queued.set(i64::try_from(requests).unwrap_or(i64::MAX));
    }

    /// Counts what follows a failed attempt.
    pub fn after_failed_attempt(&self, next: NextAttempt) {
        match next {
            NextAttempt::After(_) => self.retries.inc(),
            NextAttempt::NoBudget => self.retries_refused.inc(),
            NextAttempt::None => 0,
        };
    }

    pub(crate) fn call_begun(&self) {
        self.concurrent.inc();
    }

    pub(crate) fn call_ended(&self, took: Duration) {
        self.concurrent.dec();
        self.duration.observe(took.as_secs_f64());
    }

    pub(crate) fn stream_opened(&self, first_token: Duration) {
        self.open_streams.inc();
        self.first_token.observe(first_token.as_secs_f64());
    }

    pub(crate) fn token_gap(&self, gap: Duration) {
        self.inter_token.observe(gap.as_secs_f64());
    }

    pub(crate) fn stream_ended(&self) {
        self.open_streams.dec();
    }
}
