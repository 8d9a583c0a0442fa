//! The attempts of a call, logged and counted.

use resilience::{Deadline, FailedAttempt, NextAttempt, RetryPolicy};

use crate::failure::Failure;
use crate::llm_metrics::LlmMetrics;

/// Makes the attempts of a call, and logs and counts those that fail. It is the one layer that retries: clients below
/// have their own retries switched off, because layers multiply.
///
/// # Errors
/// That of the last attempt.
pub async fn make_attempts<T, Attempt: Future<Output = Result<T, Failure>>>(
    policy: &RetryPolicy,
    metrics: &LlmMetrics,
    request_id: &str,
    deadline: Deadline,
    attempt: impl Fn() -> Attempt,
) -> Result<T, Failure> {
    let failed = |failed: &FailedAttempt<'_, Failure>| {
        let retry_in = if let NextAttempt::After(wait) = failed.next { Some(wait) } else { None };
        tracing::info!(
            request_id,
            attempt = failed.number,
            outcome = failed.error.outcome().as_str(),
            took_ms = failed.took.as_millis() as u64,
            retry_in_ms = retry_in.map(|wait| wait.as_millis() as u64),
            failure = %failed.error,
            "an attempt failed"
        );
        metrics.after_failed_attempt(failed.next);
    };
    policy.run(deadline, attempt, failed).await
}
