//! Mistake `no-client-timeout`.
//!
//! What is wrong: the client of the vendor has no timeouts, and nothing around it has: not for the connection, the answer
//! of a call, the first token of a stream, or a silence after it. A call that is never answered never ends.
//! Symptom: each call that the vendor leaves unanswered keeps its permit. With as many of them as there are permits the
//! server calls the vendor no more: `llm_concurrent_calls` stays at `--max-in-flight`, and every request is a
//! `queue_timeout`, long after the vendor is well again. `--connect-timeout`, `--call-timeout`, `--first-token-timeout`
//! and `--idle-timeout` have no effect.
//! Fix: fixed-server/src/stack.rs, where every call and every wait for a first token has a limit; in a stream each silence
//! has one too (fixed-server/src/upstream/timeouts.rs).
//! Source: 001, section 4, warns of it ("hung TCP connections, infinite waits, leaked semaphore slots"), and sets all four
//! timeouts of httpx. reqwest, ureq, Python's requests and Go's `http.DefaultClient` have none unless they are given one.
//! What is right: the SLA. It ends a whole call, and a stream that has not begun; for one that has begun it is over.

use std::time::Duration;

use bytes::Bytes;
use gateway::UpstreamLimits;

use crate::api;
use crate::call::Call;
use crate::errors::{Failure, UpstreamFailure};
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Steps;
use crate::settings::Settings;
use crate::state::{AppState, StartError};
use crate::upstream::asynchronous::Client;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "no-client-timeout",
    group: Group::Calls,
    symptom: "calls that the vendor never answers keep their permits, until none is left for the others",
    limits: true,
    routes: |settings| Ok(api::routes(NoClientTimeout::new(settings)?)),
    ..Mistake::USUAL
};

pub(crate) struct NoClientTimeout {
    client: Client,
}

// ANCHOR: no-client-timeout
// MISTAKE no-client-timeout: where a limit belongs, there is none.
const NO_TIMEOUT: Duration = Duration::MAX;

impl NoClientTimeout {
    fn new(settings: &Settings) -> Result<Self, StartError> {
        let limits = UpstreamLimits {
            connect_timeout: NO_TIMEOUT,
            first_token_timeout: NO_TIMEOUT,
            idle_timeout: NO_TIMEOUT,
            ..settings.upstream_limits
        };
        Ok(NoClientTimeout { client: Client::new(settings, limits)? })
    }
}

impl Steps for NoClientTimeout {
    /// The wait for a stream's first token is as long as its client allows.
    fn client(&self, _state: &AppState) -> Result<Client, Failure> {
        Ok(self.client.clone())
    }

    async fn call_whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        let limit = (NO_TIMEOUT, UpstreamFailure::CallTimeout);
        let ask_vendor = || self.client.whole_without_limits(&call);
        let (answer, _active) = self.in_order(state, &call, limit, ask_vendor).await?;
        Ok(answer)
    }
}
// ANCHOR_END: no-client-timeout
