//! What is tried again, and when.

use resilience::{Deadline, FailedAttempt, NextAttempt};

use crate::call::Call;
use crate::errors::Failure;
use crate::state::AppState;

/// Makes the attempts of a call, logs and counts those that fail. This is the one layer that retries: the client below
/// has its own retries switched off, because layers multiply.
///
/// # Errors
/// Those of the last attempt.
pub(super) async fn attempts<T, Attempt: Future<Output = Result<T, Failure>>>(
    state: &AppState,
    call: &Call,
    deadline: Deadline,
    attempt: impl Fn() -> Attempt,
) -> Result<T, Failure> {
    let counted = || {
        call.progress.count_attempt();
        attempt()
    };
    let failed = |failed: &FailedAttempt<'_, Failure>| {
        let retry_in = if let NextAttempt::After(wait) = failed.next { Some(wait) } else { None };
        tracing::info!(
            request_id = call.request_id,
            attempt = failed.number,
            outcome = failed.error.outcome().as_str(),
            took_ms = failed.took.as_millis() as u64,
            retry_in_ms = retry_in.map(|wait| wait.as_millis() as u64),
            failure = %failed.error,
            "an attempt failed"
        );
        match failed.next {
            NextAttempt::After(_) => state.metrics.retry(),
            NextAttempt::NoBudget => state.metrics.retry_refused(),
            NextAttempt::None => {}
        }
    };
    state.retry.run(deadline, counted, failed).await
}
