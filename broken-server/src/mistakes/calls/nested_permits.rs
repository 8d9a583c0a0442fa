//! Mistake `nested-permits`.
//!
//! What is wrong: a call makes another call while it holds its permit, and the other one waits for a permit of its own.
//! When all permits are held by such calls, each of them waits for one that only another of them can give back.
//! Symptom: all permits held (`llm_concurrent_calls`), a queue, and a vendor without a single call. It lasts until the
//! queue timeout, or for ever without one. With fewer requests than permits, nothing shows.
//! Fix: fixed-server/src/stack.rs, where the second call begins when the first has given its permit back.
//! Source: none; 001 and 003 say that deadlocks come from sleeping with a permit, which makes calls late, but holds nothing
//! up for ever.

use bytes::Bytes;

use crate::api;
use crate::call::Call;
use crate::errors::{Failure, UpstreamFailure};
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Steps;
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "nested-permits",
    group: Group::Calls,
    symptom: "as many summaries at once as there are permits, and all stand still: each holds one and waits for another",
    limits: true,
    routes: |_| Ok(api::routes(NestedPermits)),
    ..Mistake::USUAL
};

pub(crate) struct NestedPermits;

impl Steps for NestedPermits {
    // ANCHOR: nested-permits
    async fn call_summary(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        let limit = (state.limits.call_timeout, UpstreamFailure::CallTimeout);
        let ask_vendor = async || {
            let answer = state.asynchronous.whole_without_limits(&call).await?;
            // MISTAKE nested-permits: this waits for a second permit, inside a call that has the first one to its end.
            self.call_whole(state, call.for_summary(&answer)?).await
        };
        let (summary, _active) = self.in_order(state, &call, limit, ask_vendor).await?;
        Ok(summary)
    }
    // ANCHOR_END: nested-permits
}
