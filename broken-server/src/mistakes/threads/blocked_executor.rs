//! Mistake `blocked-executor`.
//!
//! What is wrong: async code calls a blocking client directly. An async function gives up its thread only
//! at an `.await`, and there is none here: the worker's event loop stops.
//! Symptom: one stream per worker stops everything for as long as it lasts, `/debug/health-async` too;
//! nothing is logged and the CPU is idle. The stream itself looks perfect.
//! (After 128 tokens other requests run now and then: tokio's budget makes the task's writes yield.)
//! Fix: fixed-server/src/upstream/events.rs, where the stream is read asynchronously.
//! Source: 000, patterns 2 and 3; it does not say that they are worse than pattern 1.

use bytes::Bytes;
use futures_util::stream;

use crate::api;
use crate::call::Call;
use crate::call_style::CallStyle;
use crate::errors::Failure;
use crate::event_stream::EventStream;
use crate::mistake::{Group, Mistake};
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "blocked-executor",
    group: Group::Threads,
    symptom: "one stream per worker stops everything while it lasts, /debug/health-async too",
    routes: |_| Ok(api::routes(BlockedExecutor)),
    ..Mistake::USUAL
};

pub(crate) struct BlockedExecutor;

// ANCHOR: blocked-executor
// MISTAKE blocked-executor: `async fn` does not make the blocking calls inside yield.
impl CallStyle for BlockedExecutor {
    async fn stream(&self, state: &AppState, call: Call) -> Result<EventStream, Failure> {
        Ok(EventStream::blocking(stream::iter(state.blocking.stream(call))))
    }

    async fn whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        state.blocking.whole(&call)
    }
}
// ANCHOR_END: blocked-executor
