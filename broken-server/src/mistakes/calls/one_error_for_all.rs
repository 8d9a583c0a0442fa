//! Mistake `one-error-for-all`.
//!
//! What is wrong: there is one error for all that can go wrong with a call: "the vendor is slow". A full queue of this
//! server's own, a 429 and a broken stream are caught by the same clause, tried again alike, and blamed on the vendor in
//! the end. What the clause forgets falls through as a 500, and a response with an error status is not even an error.
//! Symptom: clients get 200 with an error in it, 500 for a lost connection, and 502 where they should wait or mend their
//! request; the vendor's errors rise when this server is full.
//! Fix: fixed-server/src/upstream/response.rs, where a response becomes one of several typed failures; what each means
//! for retries, the client and the metrics is decided once, in gateway/src/failure.rs.
//! Source: 001, section 5 ("Correct Exceptions"): it has no `raise_for_status`, catches `httpx.TimeoutException`, which
//! is also raised when the client's own pool is full, and retries `asyncio.TimeoutError`, which is also its own queue's.

use std::time::Duration;

use bytes::Bytes;
use resilience::{Deadline, FailedAttempt, Retryable};

use crate::api;
use crate::call::Call;
use crate::errors::{Failure, UpstreamFailure};
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Steps;
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "one-error-for-all",
    group: Group::Calls,
    symptom: "vendor's errors arrive as 200, lost connections as 500, and a full queue is blamed on the vendor",
    limits: true,
    routes: |_| Ok(api::routes(OneErrorForAll)),
    ..Mistake::USUAL
};

pub(crate) struct OneErrorForAll;

impl Steps for OneErrorForAll {
    /// Any response is a success: to reqwest a 500 is no error, as to httpx.
    async fn call_whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        let limit = (state.limits.call_timeout, UpstreamFailure::CallTimeout);
        let ask_vendor = || state.asynchronous.whole_of_any_status(&call);
        let (answer, _active) = self.in_order(state, &call, limit, ask_vendor).await?;
        Ok(answer)
    }

    /// The right policy of retries, but for one error.
    async fn attempts<T, Attempt: Future<Output = Result<T, Failure>>>(
        &self,
        state: &AppState,
        _call: &Call,
        deadline: Deadline,
        attempt: impl Fn() -> Attempt,
    ) -> Result<T, Failure> {
        let attempt = || async { attempt().await.map_err(CallFailed::from) };
        let failed = |failed: &FailedAttempt<'_, CallFailed>| state.metrics.llm.after_failed_attempt(failed.next);
        state.retry.run(deadline, attempt, failed).await.map_err(Failure::from)
    }
}

// ANCHOR: one-error-for-all
/// What can go wrong with a call.
enum CallFailed {
    /// "Vendor / network slowness", says the source.
    VendorSlow,
    /// No clause catches it.
    Uncaught,
}

impl From<Failure> for CallFailed {
    fn from(failure: Failure) -> Self {
        match failure {
            // MISTAKE one-error-for-all: the vendor's time-outs and 5xx, its rejections (400, 401, 429) and this
            // server's own full queue become one error. From here on nobody can tell them apart.
            Failure::Upstream(
                UpstreamFailure::CallTimeout
                | UpstreamFailure::FirstTokenTimeout
                | UpstreamFailure::Status(_)
                | UpstreamFailure::KeyRefused(_),
            )
            | Failure::Rejected(_)
            | Failure::Admission(_) => CallFailed::VendorSlow,
            _ => CallFailed::Uncaught,
        }
    }
}

impl Retryable for CallFailed {
    fn is_retryable(&self) -> bool {
        matches!(self, CallFailed::VendorSlow)
    }

    /// It does not say. The vendor did.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

impl From<CallFailed> for Failure {
    fn from(failed: CallFailed) -> Self {
        match failed {
            CallFailed::VendorSlow => UpstreamFailure::CallTimeout.into(),
            CallFailed::Uncaught => Failure::Internal("an error of a call was not caught"),
        }
    }
}
// ANCHOR_END: one-error-for-all
