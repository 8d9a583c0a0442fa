//! Mistake `queue-timeout-covers-call`.
//!
//! What is wrong: the queue timeout is around the wait *and* the call. It goes on when the wait is over, and ends a call
//! that is slower than a request may wait, although the vendor would have answered. What it ends may have been a wait or
//! a call, and the code cannot see which: so it tries the first one again, as if it had been a call.
//! Symptom: every call fails that takes longer than the queue timeout. `llm_queue_timeout_total` rises while nobody waits
//! (`llm_semaphore_wait_seconds` is 0), `llm_call_timeout_total` stays at 0 whatever the vendor does, and the vendor gets
//! two calls for each request, of which it completes none.
//! Fix: fixed-server/src/stack.rs, where the queue timeout ends with the wait, and the call has a timeout of its own.
//! Source: 001 and 003 ("The Gold-Standard Call Pattern"): `asyncio.timeout(30)` inside `asyncio.timeout(5)`. "Queue
//! timeout → do NOT retry", says the comment; the code below it retries the first, because it "might be call timeout".
//! What is right: the limits themselves, and that one for the wait is shorter than one for the call.

use std::time::Duration;

use gateway::ActiveCall;
use resilience::{AdmissionError, Deadline, FailedAttempt, Retryable};

use crate::api;
use crate::call::Call;
use crate::errors::{Failure, UpstreamFailure};
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::{Control, Steps};
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "queue-timeout-covers-call",
    group: Group::Calls,
    symptom: "each call longer than --queue-timeout fails, after two starts at the vendor; --call-timeout has no effect",
    limits: true,
    routes: |_| Ok(api::routes(QueueTimeoutCoversCall)),
    ..Mistake::USUAL
};

pub(crate) struct QueueTimeoutCoversCall;

// ANCHOR: queue-timeout-covers-call
impl Steps for QueueTimeoutCoversCall {
    async fn attempt<T, Answered: Future<Output = Result<T, Failure>>>(
        &self,
        state: &AppState,
        call: &Call,
        deadline: Deadline,
        limit: &(Duration, UpstreamFailure),
        ask_vendor: &impl Fn() -> Answered,
    ) -> Result<(T, ActiveCall), Failure> {
        let waited = state.limits.queue_timeout;
        // MISTAKE queue-timeout-covers-call: this timeout is for the wait, and is around the call too.
        let wait_and_call = Control.attempt(state, call, deadline, limit, ask_vendor);
        let ended = Deadline::after(waited).timeout(wait_and_call).await;
        ended.unwrap_or_else(|_| Err(AdmissionError::QueueTimeout { waited }.into()))
    }

    /// The right policy of retries, but for what it cannot know: whether a wait was too long or a call.
    async fn attempts<T, Attempt: Future<Output = Result<T, Failure>>>(
        &self,
        state: &AppState,
        call: &Call,
        deadline: Deadline,
        attempt: impl Fn() -> Attempt,
    ) -> Result<T, Failure> {
        let attempt = || async {
            let failed = |failure| WaitOrCallFailed { failure, is_first: call.progress.attempts() == 1 };
            attempt().await.map_err(failed)
        };
        let failed = |failed: &FailedAttempt<'_, WaitOrCallFailed>| state.metrics.llm.after_failed_attempt(failed.next);
        state.retry.run(deadline, attempt, failed).await.map_err(|failed| failed.failure)
    }
}

/// A wait that was too long, or a call.
struct WaitOrCallFailed {
    failure: Failure,
    is_first: bool,
}

impl Retryable for WaitOrCallFailed {
    fn is_retryable(&self) -> bool {
        let timed_out = matches!(self.failure, Failure::Admission(AdmissionError::QueueTimeout { .. }));
        if timed_out { self.is_first } else { self.failure.is_retryable() }
    }

    fn retry_after(&self) -> Option<Duration> {
        self.failure.retry_after()
    }
}
// ANCHOR_END: queue-timeout-covers-call
