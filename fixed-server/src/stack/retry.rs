//! The attempts of a call.

use gateway::make_attempts;
use resilience::Deadline;

use crate::call::Call;
use crate::errors::Failure;
use crate::state::AppState;

// ANCHOR: stacked-retries
/// Makes the attempts of `call`, with the retry policy of all calls.
///
/// # Errors
/// That of the last attempt.
pub(super) async fn attempts<T, Attempt: Future<Output = Result<T, Failure>>>(
    state: &AppState,
    call: &Call,
    deadline: Deadline,
    attempt: impl Fn() -> Attempt,
) -> Result<T, Failure> {
    // FIX stacked-retries, retry-storm: the only layer that retries (the client has `retry::never()`), and one policy for
    // all calls: full jitter on top of the vendor's `Retry-After`, and a budget that they share.
    make_attempts(&state.retry, &state.metrics.llm, &call.request_id, deadline, attempt).await
}
// ANCHOR_END: stacked-retries
