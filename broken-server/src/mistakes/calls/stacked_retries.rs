//! Mistake `stacked-retries`.
//!
//! What is wrong: each layer that calls the vendor has a retry loop of its own: the client, and the code that uses it.
//! Neither knows of the other, so their attempts multiply. Neither knows of the other requests, so all that failed
//! together try again together, and nothing limits how many. Neither reads `Retry-After`.
//! Symptom: while the vendor fails, it gets nine calls for each request, in waves, at times at which it asked for none.
//! `llm_retries_total` counts two: a layer counts only its own. `--retry-budget`, `--retry-reserve` and
//! `--min-attempt-time` have no effect.
//! Fix: fixed-server/src/stack/retry.rs, where one layer retries, with one policy for all calls: full jitter,
//! `Retry-After`, a budget. The client has no retries.
//! Source: 001 and 003 warn of it ("your retry × SDK retry × vendor retry"). Their own loop adds up to 1 s of jitter,
//! which is enough (`--retry-jitter 1s`); it ignores `Retry-After`.

use std::time::Duration;

use resilience::{Deadline, NextAttempt, Retryable};
use tokio::time::sleep;

use crate::api;
use crate::call::Call;
use crate::errors::Failure;
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Steps;
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "stacked-retries",
    group: Group::Calls,
    symptom: "while the vendor fails, it gets nine calls for each request, in waves, and before its Retry-After is over",
    limits: true,
    own_flags: &["retry_jitter"],
    routes: |settings| Ok(api::routes(StackedRetries { jitter: settings.own.retry_jitter })),
    ..Mistake::USUAL
};

/// The wait before the first retry of a loop. It doubles with each: a tenth of the source's.
const FIRST_WAIT: Duration = Duration::from_millis(100);

pub(crate) struct StackedRetries {
    jitter: Duration,
}

// ANCHOR: stacked-retries
// MISTAKE stacked-retries: two layers retry, each with a loop of its own.
impl Steps for StackedRetries {
    /// Our layer.
    async fn attempts<T, Attempt: Future<Output = Result<T, Failure>>>(
        &self,
        state: &AppState,
        _call: &Call,
        _deadline: Deadline,
        attempt: impl Fn() -> Attempt,
    ) -> Result<T, Failure> {
        let count_retry = |wait| state.metrics.llm.after_failed_attempt(NextAttempt::After(wait));
        self.retry_loop(state.limits.attempts, attempt, count_retry).await
    }

    /// The layer below, as in a vendor's library: nothing above sees its retries.
    async fn ask<T, Answered: Future<Output = Result<T, Failure>>>(
        &self,
        state: &AppState,
        ask_vendor: &impl Fn() -> Answered,
    ) -> Result<T, Failure> {
        self.retry_loop(state.limits.attempts, ask_vendor, |_wait| {}).await
    }
}

impl StackedRetries {
    async fn retry_loop<T, Attempt: Future<Output = Result<T, Failure>>>(
        &self,
        attempts: u32,
        attempt: impl Fn() -> Attempt,
        before_retry: impl Fn(Duration),
    ) -> Result<T, Failure> {
        for retries in 0..attempts - 1 {
            match attempt().await {
                Err(failure) if failure.is_retryable() => {}
                ended => return ended,
            }
            let wait = FIRST_WAIT * 2_u32.pow(retries) + self.jitter.mul_f64(fastrand::f64());
            before_retry(wait);
            sleep(wait).await;
        }
        attempt().await
    }
}
// ANCHOR_END: stacked-retries
