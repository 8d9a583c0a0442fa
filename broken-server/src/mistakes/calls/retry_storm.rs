//! Mistake `retry-storm`.
//!
//! What is wrong: each request decides for itself whether to try again, as if it were the only one. It has a policy of its
//! own, with three attempts and a budget that nobody else uses. When all fail together, the vendor gets three calls for
//! each of them: more than it can serve, so that they fail too, and are tried again.
//! Symptom: an outage that goes on after its cause is gone. The vendor is healthy and fully used, each call is given up
//! shortly before its end, and nobody is answered until the traffic pauses. `--retry-budget` has no effect.
//! Fix: fixed-server/src/stack/retry.rs, where one policy is shared by all requests: its budget limits their retries
//! together, so that an outage does not multiply the load.
//! Source: 001, "retries amplify load" and "if the system is already overloaded, retries make it worse". Its loop has no
//! budget.

use resilience::Deadline;

use crate::api;
use crate::call::Call;
use crate::errors::Failure;
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Steps;
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "retry-storm",
    group: Group::Calls,
    symptom: "after a short stall of the vendor nobody is answered any more, although it is healthy again and fully used",
    limits: true,
    routes: |_| Ok(api::routes(RetryStorm)),
    ..Mistake::USUAL
};

pub(crate) struct RetryStorm;

impl Steps for RetryStorm {
    // ANCHOR: retry-storm
    async fn attempts<T, Attempt: Future<Output = Result<T, Failure>>>(
        &self,
        state: &AppState,
        call: &Call,
        deadline: Deadline,
        attempt: impl Fn() -> Attempt,
    ) -> Result<T, Failure> {
        // MISTAKE retry-storm: a policy for this request alone. Its budget cannot know how many others try again.
        let policy = state.limits.retry_policy().map_err(|_| Failure::Internal("the retry policy is invalid"))?;
        gateway::make_attempts(&policy, &state.metrics.llm, &call.request_id, deadline, attempt).await
    }
    // ANCHOR_END: retry-storm
}
