//! Mistake `total-timeout-on-stream`.
//!
//! What is wrong: the HTTP client has one timeout for the whole request, and it counts to the last byte of the body. For
//! a call with a whole answer that is right. A stream takes as long as its answer is long, so the same limit ends healthy
//! streams; and as the only limit it must be long, so it is far too long for a stream that has stalled.
//! Symptom: long answers end with an error after exactly `--call-timeout`, in the middle of a sentence. Short ones never
//! do. The log blames the vendor ("the connection to the vendor was lost ... operation timed out"), which was sending.
//! `--first-token-timeout` and `--idle-timeout` have no effect.
//! Fix: fixed-server/src/upstream/client.rs, where the client has no total timeout: a stream has a limit for its first
//! token and one for each silence, and may be as long as it likes.
//! Source: 001 and 003 put `asyncio.timeout(30)` around each call, which for a call with a whole answer is right;
//! opencrabs#1678 reports 85 of 85 streams that died after exactly 60, 90 or 300 s. reqwest's `.timeout()`, aiohttp's
//! `ClientTimeout(total=...)` (300 s by default) and Go's `http.Client.Timeout` are such a total; the `timeout=` of httpx
//! and requests is not: it is for each read.
//! What is right: whole calls, and that a stream which stalls ends at all.

use std::time::Duration;

use gateway::UpstreamLimits;

use crate::api;
use crate::call::Call;
use crate::errors::{Failure, UpstreamFailure};
use crate::event_stream::EventStream;
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Steps;
use crate::relay::first_token;
use crate::settings::Settings;
use crate::state::{AppState, StartError};
use crate::upstream::asynchronous::Client;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "total-timeout-on-stream",
    group: Group::Calls,
    symptom: "healthy streams longer than --call-timeout are cut there, and stalled ones last until then",
    limits: true,
    routes: |settings| Ok(api::routes(TotalTimeoutOnStream::new(settings)?)),
    ..Mistake::USUAL
};

pub(crate) struct TotalTimeoutOnStream {
    client: Client,
}

// ANCHOR: total-timeout-on-stream
impl TotalTimeoutOnStream {
    fn new(settings: &Settings) -> Result<Self, StartError> {
        // MISTAKE total-timeout-on-stream: one limit, from the request to the end of the body, in place of those for the
        // first token and for each silence.
        let total = settings.limits.call_timeout;
        let others = UpstreamLimits {
            first_token_timeout: Duration::MAX,
            idle_timeout: Duration::MAX,
            ..settings.upstream_limits
        };
        Ok(TotalTimeoutOnStream { client: Client::with_total_timeout(settings, others, total)? })
    }
}

impl Steps for TotalTimeoutOnStream {
    async fn open_stream(&self, state: &AppState, call: Call) -> Result<EventStream, Failure> {
        let limit = (Duration::MAX, UpstreamFailure::FirstTokenTimeout);
        let ask_vendor = || first_token(EventStream::asynchronous(self.client.stream(call.clone())), call.format);
        let (messages, active) = self.in_order(state, &call, limit, ask_vendor).await?;
        Ok(messages.holding(active))
    }
}
// ANCHOR_END: total-timeout-on-stream
