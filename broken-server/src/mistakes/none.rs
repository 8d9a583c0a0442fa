//! The control: no mistake.
//!
//! What is right: a call goes through the same steps in the same order as in fixed-server/src/stack.rs. The
//! response body polls the vendor's stream itself, through an asynchronous client. A stream that waits costs
//! neither a thread nor a task. When the client disconnects, the body is dropped, and with it the call and
//! its permit, even while the vendor is silent.
//! Symptom: none. Both health routes stay as fast as idle with any number of streams; the vendor never gets
//! more calls at once than `--max-in-flight`, and requests that do not fit are rejected at once.
//! Why it is here: this server is built with actix-web, fixed-server with axum. `--mistake none` keeps the
//! framework and removes the mistake.
//! What it lacks: token limits, sessions, the breaker. fixed-server has the first and the last off by default.

use std::time::Duration;

use bytes::Bytes;
use gateway::ActiveCall;
use resilience::{Admission, Deadline};
use tokio::time::Instant;

use crate::api::{self, Routes};
use crate::call::Call;
use crate::call_style::{AsyncOnce, CallStyle, retry};
use crate::chat::{self, Chat, Parse};
use crate::errors::{Failure, UpstreamFailure};
use crate::event_stream::EventStream;
use crate::mistake::{Group, Mistake};
use crate::mistakes::threads::hidden_pool_users::with_look_ups;
use crate::relay::first_token;
use crate::state::AppState;
use crate::upstream::asynchronous::Client;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "none",
    group: Group::Control,
    symptom: "none: both health routes stay as fast as idle, with any number of streams",
    limits: true,
    routes: |_| Ok(routes()),
    ..Mistake::USUAL
};

pub(crate) struct Control;

pub(crate) fn routes() -> Routes {
    // The routes with a hidden use of the pool are harmless here: nothing holds its threads.
    with_look_ups(api::routes(Control))
}

/// The steps of a call with all limits. Each is right as it is here, and the control uses them all. A mistake in
/// `calls/` replaces one of them, under the same name.
pub(crate) trait Steps: Send + Sync + 'static {
    /// Whether they record how a request ended. Otherwise the guard around the call does, also when it is dropped.
    const RECORDS_OUTCOME: bool = false;

    /// After how long without a first token a stream begins with a comment: a balancer cuts what is silent for long.
    fn early_keep_alive(&self, state: &AppState) -> Option<Duration> {
        state.early_keep_alive
    }

    /// Reads a request for a chat from its body: large ones on a thread.
    async fn read(&self, state: &AppState, body: Bytes, parse: Parse) -> Result<Chat, Failure> {
        chat::read(state, body, parse).await
    }

    /// Opens a stream: returns with its first token. The SLA of a stream ends there.
    async fn open_stream(&self, state: &AppState, call: Call) -> Result<EventStream, Failure> {
        let client = self.client(state)?;
        let limit = (client.first_token_timeout(), UpstreamFailure::FirstTokenTimeout);
        let ask_vendor = || first_token(EventStream::asynchronous(client.stream(call.clone())), call.format);
        let (messages, active) = self.in_order(state, &call, limit, ask_vendor).await?;
        // No status has been sent yet. The permit goes with the stream, to its end.
        Ok(messages.holding(active))
    }

    /// Makes a call that is answered as a whole.
    async fn call_whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        let client = self.client(state)?;
        let limit = (state.limits.call_timeout, UpstreamFailure::CallTimeout);
        let ask_vendor = || client.whole_without_limits(&call);
        let (answer, _active) = self.in_order(state, &call, limit, ask_vendor).await?;
        Ok(answer)
    }

    /// The client for a request: the one that all requests share, with its connections.
    fn client(&self, state: &AppState) -> Result<Client, Failure> {
        Ok(state.asynchronous.clone())
    }

    /// Makes a call, and a second one for a summary of its answer, both by the deadline of the first.
    async fn call_summary(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        // One after the other: the first has given its permit back before the second waits for one.
        let answer = self.call_whole(state, call.clone()).await?;
        self.call_whole(state, call.for_summary(&answer)?).await
    }

    /// THE ORDER, outermost first, with the names of the steps in fixed-server/src/stack.rs. Shutdown and
    /// outcome, which all mistakes share, are around it (`api/answer.rs`).
    async fn in_order<T, Answered: Future<Output = Result<T, Failure>>>(
        &self,
        state: &AppState,
        call: &Call,
        limit: (Duration, UpstreamFailure),
        ask_vendor: impl Fn() -> Answered,
    ) -> Result<(T, ActiveCall), Failure> {
        // 1. SLA. One point in time, set when the request was read, and handed down: limits that each start anew would
        //    add up.
        let deadline = call.deadline;
        // 2. Retries. They are around all that costs something: between two attempts nothing is held, and each
        //    attempt queues like any other call.
        let attempt = || {
            call.progress.count_attempt();
            self.attempt(state, call, deadline, &limit, &ask_vendor)
        };
        deadline.timeout(self.attempts(state, call, deadline, attempt)).await?
    }

    /// Makes attempts, with the retry policy that all calls share.
    async fn attempts<T, Attempt: Future<Output = Result<T, Failure>>>(
        &self,
        state: &AppState,
        call: &Call,
        deadline: Deadline,
        attempt: impl Fn() -> Attempt,
    ) -> Result<T, Failure> {
        retry::attempts(state, call, deadline, attempt).await
    }

    /// One attempt, from the queue to the answer.
    async fn attempt<T, Answered: Future<Output = Result<T, Failure>>>(
        &self,
        state: &AppState,
        call: &Call,
        deadline: Deadline,
        limit: &(Duration, UpstreamFailure),
        ask_vendor: &impl Fn() -> Answered,
    ) -> Result<(T, ActiveCall), Failure> {
        // 3. Permit. The queue timeout starts and ends here: it does not cover the call.
        let active = self.admit(state, call).await?;
        // 4. Database. The call of a key is counted only now: a rejected call leaves nothing behind.
        self.count(state, call).await?;
        // 5. Call. It is made with the permit held. Without a permit, or after giving it back, the vendor would
        //    get more calls at once than the limit allows.
        let answer = self.ask_in_time(state, deadline, limit, ask_vendor).await?;
        Ok((answer, active))
    }

    /// Asks the vendor, once, for no longer than the limit of a call and what is left of the SLA.
    async fn ask_in_time<T, Answered: Future<Output = Result<T, Failure>>>(
        &self,
        state: &AppState,
        deadline: Deadline,
        (limit, too_slow): &(Duration, UpstreamFailure),
        ask_vendor: &impl Fn() -> Answered,
    ) -> Result<T, Failure> {
        let answered = deadline.at_most(*limit).timeout(self.ask(state, ask_vendor)).await;
        // 6. Timeout. Which limit ended the call decides who is at fault: the SLA is ours, the other the vendor's.
        let late = || if deadline.remaining().is_zero() { sla() } else { too_slow.clone().into() };
        answered.unwrap_or_else(|_| Err(late()))
    }

    /// Waits for a permit and for the rates, jointly, no longer than the queue timeout.
    async fn admit(&self, state: &AppState, call: &Call) -> Result<ActiveCall, Failure> {
        let asked = Instant::now();
        let admitted = self.admission(state).admit_class(call.model.as_deref(), 0).await;
        state.metrics.llm.waited(asked.elapsed(), admitted.as_ref().ok().map(|admitted| admitted.queue_wait()));
        let permit = admitted?;
        state.metrics.llm.rate_taken();
        Ok(ActiveCall::with_permit(state.metrics.llm.clone(), permit))
    }

    /// The permits, the rates and the queue for them: those that all requests share.
    fn admission(&self, state: &AppState) -> Admission {
        state.admission.clone()
    }

    /// Counts the call of its key. The connection is back in the pool before the vendor is called.
    async fn count(&self, state: &AppState, call: &Call) -> Result<(), Failure> {
        state.database.count_call(call.key.as_ref()).await.map(drop)
    }

    /// Asks the vendor, once.
    async fn ask<T, Answered: Future<Output = Result<T, Failure>>>(
        &self,
        _state: &AppState,
        ask_vendor: &impl Fn() -> Answered,
    ) -> Result<T, Failure> {
        ask_vendor().await
    }
}

impl Steps for Control {}

impl<S: Steps> CallStyle for S {
    const WITH_PERMIT: bool = true;
    const RECORDS_OUTCOME: bool = S::RECORDS_OUTCOME;

    fn early_keep_alive(&self, state: &AppState) -> Option<Duration> {
        Steps::early_keep_alive(self, state)
    }

    async fn read(&self, state: &AppState, body: Bytes, parse: Parse) -> Result<Chat, Failure> {
        Steps::read(self, state, body, parse).await
    }

    async fn stream(&self, state: &AppState, call: Call) -> Result<EventStream, Failure> {
        self.open_stream(state, call).await
    }

    async fn whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        self.call_whole(state, call).await
    }

    async fn summary(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        self.call_summary(state, call).await
    }

    /// It takes no permit: the vendor generates nothing for it.
    async fn models(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        AsyncOnce.whole(state, call).await
    }
}

fn sla() -> Failure {
    resilience::DeadlinePassed.into()
}
