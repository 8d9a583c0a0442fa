//! Mistake `blocking-client`.
//!
//! What is wrong: `reqwest::blocking` inside an async handler. It is meant for programs without a runtime:
//! it runs its own runtime on its own thread, and parks the caller's thread meanwhile.
//! Symptom: in a debug build every call panics ("Cannot drop a runtime in a context where blocking is not
//! allowed") and its client gets a 500. In a release build it silently stops the event loop for the length
//! of each call, as `blocked-executor` does. So those who run debug builds find it, and those who only build
//! for release never see it.
//! Which of the two happens is decided when reqwest itself is compiled: `enter()` in its blocking/wait.rs
//! makes a runtime and drops it, only to provoke that panic, under `#[cfg(debug_assertions)]`. A profile
//! that sets `debug-assertions` for the package reqwest decides it; the server's own profile does not.
//! Fix: fixed-server/src/upstream/client.rs, where the same crate's asynchronous client is used.
//! Source: 000, pattern 3 (`requests.post` in an `async def`). Python has no such check.

use bytes::Bytes;
use futures_util::stream;

use crate::api;
use crate::call::Call;
use crate::call_style::CallStyle;
use crate::errors::Failure;
use crate::event_stream::EventStream;
use crate::mistake::{Group, Mistake};
use crate::settings::Settings;
use crate::state::AppState;
use crate::upstream::blocking_reqwest;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "blocking-client",
    group: Group::Threads,
    symptom: "a debug build panics on every call (500); a release build stops everything during each call",
    routes: |settings| Ok(api::routes(BlockingClient::new(settings)?)),
    ..Mistake::USUAL
};

pub(crate) struct BlockingClient {
    upstream: blocking_reqwest::Client,
}

impl BlockingClient {
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub(crate) fn new(settings: &Settings) -> reqwest::Result<Self> {
        Ok(BlockingClient { upstream: blocking_reqwest::Client::new(settings)? })
    }
}

// ANCHOR: blocking-client
// MISTAKE blocking-client: this client parks its thread, and here that is the event loop's.
impl CallStyle for BlockingClient {
    async fn stream(&self, _: &AppState, call: Call) -> Result<EventStream, Failure> {
        Ok(EventStream::blocking(stream::iter(self.upstream.stream(call))))
    }

    async fn whole(&self, _: &AppState, call: Call) -> Result<Bytes, Failure> {
        self.upstream.whole(&call)
    }
}
// ANCHOR_END: blocking-client
