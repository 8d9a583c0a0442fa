//! Mistake `sleep-with-permit`.
//!
//! What is wrong: the retries are inside the permit. A call takes it once, and keeps it while it waits before another
//! attempt. So a permit, which limits how many calls the vendor has at once, is held by a call that the vendor does not
//! have.
//! Symptom: while some of the vendor's calls fail, throughput falls by much more than their share. All permits are held
//! (`llm_concurrent_calls`), the queue is full, and the vendor has only a few calls.
//! Fix: fixed-server/src/stack.rs, where the retries are around the permit: each attempt takes one and gives it back.
//! Source: 001, section 8, warns of it and is right: "Retries must happen OUTSIDE the semaphore scope." It says that
//! "deadlocks appear under load". They do not: each wait ends.

use std::time::Duration;

use gateway::ActiveCall;

use crate::api;
use crate::call::Call;
use crate::errors::{Failure, UpstreamFailure};
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Steps;
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "sleep-with-permit",
    group: Group::Calls,
    symptom: "while calls fail once and are tried again, all permits are held and the vendor is half idle",
    limits: true,
    routes: |_| Ok(api::routes(SleepWithPermit)),
    ..Mistake::USUAL
};

pub(crate) struct SleepWithPermit;

impl Steps for SleepWithPermit {
    // ANCHOR: sleep-with-permit
    async fn in_order<T, Answered: Future<Output = Result<T, Failure>>>(
        &self,
        state: &AppState,
        call: &Call,
        limit: (Duration, UpstreamFailure),
        ask_vendor: impl Fn() -> Answered,
    ) -> Result<(T, ActiveCall), Failure> {
        let deadline = call.deadline;
        let with_permit = async {
            // MISTAKE sleep-with-permit: one permit for all attempts, held while the call waits before the next one.
            let active = self.admit(state, call).await?;
            let attempt = || async {
                call.progress.count_attempt();
                self.count(state, call).await?;
                self.ask_in_time(state, deadline, &limit, &ask_vendor).await
            };
            let answer = self.attempts(state, call, deadline, attempt).await?;
            Ok((answer, active))
        };
        deadline.timeout(with_permit).await?
    }
    // ANCHOR_END: sleep-with-permit
}
