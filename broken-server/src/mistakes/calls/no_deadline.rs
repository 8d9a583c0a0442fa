//! Mistake `no-deadline`.
//!
//! What is wrong: each step has a time limit of its own, which begins anew with each attempt, and the request has none.
//! The limits add up: three attempts, each with its queue timeout and its call timeout, and the pauses between them.
//! Symptom: while the vendor hangs, requests take half as long again as `--sla`, or longer. Clients have left by then, and
//! the vendor gets calls for them. `--sla` and `--min-attempt-time` have no effect.
//! With `--outer-timeout`, a timeout of `--sla` is around all that, and nothing inside knows of it: clients are answered
//! in time, but attempts are begun that cannot be done by then.
//! Fix: fixed-server/src/stack.rs, where one point in time is handed down to all steps.
//! Source: 001 and 003: 3 × (5 s + 30 s) and pauses, which is 110 s. Both have a timeout of 60 s around that, at the
//! endpoint: this is `--outer-timeout`.

use std::time::Duration;

use gateway::ActiveCall;
use resilience::Deadline;

use crate::api;
use crate::call::Call;
use crate::errors::{Failure, UpstreamFailure};
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Steps;
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "no-deadline",
    group: Group::Calls,
    symptom: "while the vendor hangs, a request takes longer than --sla: the timeouts of its attempts add up",
    limits: true,
    own_flags: &["outer_timeout"],
    routes: |settings| Ok(api::routes(NoDeadline { outer_timeout: settings.own.outer_timeout })),
    ..Mistake::USUAL
};

pub(crate) struct NoDeadline {
    outer_timeout: bool,
}

impl Steps for NoDeadline {
    // ANCHOR: no-deadline
    async fn in_order<T, Answered: Future<Output = Result<T, Failure>>>(
        &self,
        state: &AppState,
        call: &Call,
        limit: (Duration, UpstreamFailure),
        ask_vendor: impl Fn() -> Answered,
    ) -> Result<(T, ActiveCall), Failure> {
        // MISTAKE no-deadline: no step knows when the request must be done. Each has its own limit, or none.
        let far = Deadline::after(Duration::MAX);
        let attempt = || {
            call.progress.count_attempt();
            self.attempt(state, call, far, &limit, &ask_vendor)
        };
        let attempts = self.attempts(state, call, far, attempt);
        // The sources' endpoint ends all of it after the SLA.
        if self.outer_timeout { call.deadline.timeout(attempts).await? } else { attempts.await }
    }
    // ANCHOR_END: no-deadline
}
