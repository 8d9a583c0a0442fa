//! What is tried again, and when.

use std::time::Duration;

use resilience::{BreakerGuard, Deadline};
use tokio::time::{Instant, sleep};

use crate::call::Call;
use crate::errors::Failure;
use crate::state::AppState;

/// Makes attempts until one succeeds, or fails in a way that another would not mend, or no other may be
/// made. This is the one layer that retries: the client below has its own switched off, because layers
/// multiply.
///
/// # Errors
/// Those of the last attempt.
pub(super) async fn attempts<T, Attempt: Future<Output = Result<T, Failure>>>(
    state: &AppState,
    call: &Call,
    deadline: Deadline,
    attempt: impl Fn() -> Attempt,
) -> Result<T, Failure> {
    state.budget.note_call();
    loop {
        call.progress.attempt();
        let begun = Instant::now();
        let failure = match attempt().await {
            Ok(done) => return Ok(done),
            Err(failure) => failure,
        };
        let wait = wait_before_retry(state, call.progress.attempts(), &failure, deadline);
        tracing::info!(
            request_id = call.request_id,
            attempt = call.progress.attempts(),
            outcome = failure.outcome().as_str(),
            took_ms = begun.elapsed().as_millis() as u64,
            retry_in_ms = wait.map(|wait| wait.as_millis() as u64),
            %failure,
            "an attempt failed"
        );
        let Some(wait) = wait else { return Err(failure) };
        state.metrics.retry();
        sleep(wait).await;
    }
}

/// How long to wait before another attempt, when `made` have been made; `None` when there is to be none.
fn wait_before_retry(state: &AppState, made: u32, failure: &Failure, deadline: Deadline) -> Option<Duration> {
    if !failure.is_retryable() || made >= state.limits.call.attempts {
        return None;
    }
    // Jitter comes on top of what the vendor asked for: all of its callers were given the same number.
    let wait = state.backoff.delay(made - 1, failure.retry_after(), &mut fastrand::Rng::new());
    if deadline.remaining() < wait.saturating_add(state.limits.call.min_attempt_time) {
        return None;
    }
    // Asked last, because to ask is to spend.
    if state.budget.try_retry() {
        return Some(wait);
    }
    state.metrics.retry_refused();
    None
}

/// Tells the breaker, if there is one, how the vendor did. A call that ended for another reason, our
/// own limits or its client, says nothing about the vendor.
pub(super) fn judge<T>(guard: Option<BreakerGuard>, answered: &Result<T, Failure>) {
    let Some(guard) = guard else { return };
    match answered {
        Ok(_) | Err(Failure::Rejected(_)) => guard.success(),
        Err(Failure::Upstream(_)) => guard.failure(),
        Err(_) => drop(guard),
    }
}
