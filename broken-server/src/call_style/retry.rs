//! The attempts of a call.

use gateway::make_attempts;
use resilience::Deadline;

use crate::call::Call;
use crate::errors::Failure;
use crate::state::AppState;

/// Makes the attempts of `call`, with the retry policy of all calls.
///
/// # Errors
/// That of the last attempt.
pub(crate) async fn attempts<T, Attempt: Future<Output = Result<T, Failure>>>(
    state: &AppState,
    call: &Call,
    deadline: Deadline,
    attempt: impl Fn() -> Attempt,
) -> Result<T, Failure> {
    make_attempts(&state.retry, &state.metrics.llm, &call.request_id, deadline, attempt).await
}
