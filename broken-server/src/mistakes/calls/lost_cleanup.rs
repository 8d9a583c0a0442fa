//! Mistake `lost-cleanup`.
//!
//! What is wrong: how a request ended is recorded by the code after the call. When the client disconnects, that code does
//! not run: its future is dropped where it waits, in the call.
//! Symptom: `llm_outcomes_total` has time-outs, failures and successes, and no disconnects, however many users give up. It
//! falls behind `llm_calls_total`, and `llm_disconnects_total` stays 0. Requests of clients that have left have no last
//! line in the log.
//! Fix: fixed-server/src/outcome.rs, where a guard records the outcome in its `drop`.
//! Source: 001, section 15 ("Shielded Cleanup") and 003, section 4: `except asyncio.TimeoutError: await
//! asyncio.shield(record_sla_violation())`.
//! What is right: the record itself runs to its end whatever comes, as under a shield. The call to the vendor is cancelled
//! and its permit given back: those are guards.

use std::sync::Arc;

use actix_web::rt::spawn;
use bytes::Bytes;
use futures_util::StreamExt;
use gateway::LlmMetrics;
use wire::outcome::Outcome;

use crate::api;
use crate::call::Call;
use crate::errors::Failure;
use crate::event_stream::EventStream;
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::{Control, Steps};
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "lost-cleanup",
    group: Group::Calls,
    symptom: "requests whose clients disconnect are never recorded: outcomes fall behind calls",
    limits: true,
    routes: |_| Ok(api::routes(LostCleanup)),
    ..Mistake::USUAL
};

pub(crate) struct LostCleanup;

// ANCHOR: lost-cleanup
impl Steps for LostCleanup {
    const RECORDS_OUTCOME: bool = true;

    async fn call_whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        let cleanup = Cleanup::of(state, &call);
        // MISTAKE lost-cleanup: a time-out is an ordinary error here, and is recorded below. A disconnect is not: it drops
        // this future at the `.await`.
        let answered = Control.call_whole(state, call).await;
        cleanup.after(answered)
    }

    async fn call_summary(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        let cleanup = Cleanup::of(state, &call);
        let answered = Control.call_summary(state, call).await;
        cleanup.after(answered)
    }

    async fn open_stream(&self, state: &AppState, call: Call) -> Result<EventStream, Failure> {
        let cleanup = Cleanup::of(state, &call);
        let opened = Control.open_stream(state, call).await;
        let messages = match opened {
            Ok(messages) => messages,
            Err(failure) => {
                cleanup.shielded(failure.outcome());
                return Err(failure);
            }
        };
        // The same here: a stream that is dropped has no last message.
        let mut cleanup = Some(cleanup);
        let recording = messages.inspect(move |message| {
            let outcome = match message {
                Ok(message) if !message.is_done() => return,
                Ok(_) => Outcome::Success,
                Err(failure) => failure.stream_outcome(),
            };
            cleanup.take().into_iter().for_each(|cleanup| cleanup.shielded(outcome));
        });
        Ok(EventStream::asynchronous(recording))
    }
}
// ANCHOR_END: lost-cleanup

/// What is to be done at the end of a request.
struct Cleanup {
    metrics: Arc<LlmMetrics>,
    request_id: String,
}

impl Cleanup {
    fn of(state: &AppState, call: &Call) -> Self {
        Cleanup { metrics: Arc::clone(&state.metrics.llm), request_id: call.request_id.clone() }
    }

    /// Does it for a request that was answered like this.
    fn after<T>(self, answered: Result<T, Failure>) -> Result<T, Failure> {
        self.shielded(answered.as_ref().map_or_else(Failure::outcome, |_| Outcome::Success));
        answered
    }

    /// Does it in a task of its own, which nothing cancels: this is `asyncio.shield`.
    fn shielded(self, outcome: Outcome) {
        spawn(async move {
            self.metrics.outcome(outcome);
            tracing::debug!(request_id = self.request_id, outcome = outcome.as_str(), "request ended");
        });
    }
}
