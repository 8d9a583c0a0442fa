//! Mistake `blocked-executor`.
//!
//! What is wrong: a blocking client is called straight from async code. An async function gives its
//! thread back only at an `.await`, and here is none: the worker's event loop stands still.
//! How it shows: one stream for each worker stops everything for its whole length, also
//! `/debug/health-async`; nothing is logged and the CPU is idle. The stream itself looks perfect.
//! (Over 128 tokens others get a turn now and then: tokio's budget makes the task's writes give way.)
//! Where the fix is: fixed-server/src/upstream/events.rs, where the stream is read asynchronously.
//! Who says so: source 000, patterns 2 and 3; it does not say that they are worse than pattern 1.

use bytes::Bytes;
use futures_util::stream;

use crate::api;
use crate::call::Call;
use crate::call_style::CallStyle;
use crate::errors::Failure;
use crate::event_stream::EventStream;
use crate::mistake::{Group, Mistake};
use crate::settings::BLOCKING_THREADS;
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "blocked-executor",
    group: Group::Threads,
    symptom: "one stream for each worker stops everything for its length, /debug/health-async too",
    file: "src/mistakes/threads/blocked_executor.rs",
    blocking_threads: BLOCKING_THREADS,
    limits: false,
    own_flags: &[],
    routes: |_| Ok(api::routes(BlockedExecutor)),
};

pub(crate) struct BlockedExecutor;

// ANCHOR: blocked-executor
// MISTAKE blocked-executor: `async` in front does not make the blocking calls inside give way.
impl CallStyle for BlockedExecutor {
    async fn stream(&self, state: &AppState, call: Call) -> Result<EventStream, Failure> {
        Ok(EventStream::blocking(stream::iter(state.blocking.stream(call))))
    }

    async fn whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        state.blocking.whole(&call)
    }
}
// ANCHOR_END: blocked-executor
