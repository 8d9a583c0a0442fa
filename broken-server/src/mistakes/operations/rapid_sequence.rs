//! Mistake `rapid-sequence`.
//!
//! What is wrong: calls go out as they come, whatever the vendor's quota of tokens allows, and when the vendor
//! says 429, that is an exception that nobody handles. With it come the other four causes that the source names,
//! each of which can be switched on alone (`--causes`): a watchdog over the worker process, a database connection
//! that each call holds, an HTTP client for each call, and a time-out on the vendor's whole answer.
//! Symptom: of twelve calls one after another, all within a minute, the third is answered with a 500, at 7,059
//! tokens; with fewer tokens all twelve succeed. Only `throttling` does that, and only with a vendor that has a
//! quota. What the others do, each for itself, `loadgen lab rapid-sequence` measures.
//! Fix: fixed-server/src/stack.rs, where a call waits for the tokens that it may cost, and a 429 is tried again
//! when the vendor says so. The control has the second half.
//! Source: 002, which raises the time-outs and the pool, shares the client, and leaves throttling for later.

use std::time::Duration;

use bytes::Bytes;
use resilience::Deadline;

use crate::api;
use crate::call::Call;
use crate::call_style::retry;
use crate::errors::{Failure, UpstreamFailure};
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::{Control, Steps};
use crate::mistakes::operations::client_per_request::ClientPerRequest;
use crate::settings::{Cause, CauseFlags, Causes, Settings};
use crate::state::AppState;
use crate::upstream::asynchronous::Client;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "rapid-sequence",
    group: Group::Operations,
    symptom: "with a vendor that has a quota of tokens, the third of twelve calls in a row gets a 500 (--causes)",
    limits: true,
    own_flags: &["causes", "vendor_timeout", "pool_timeout"],
    routes: |settings| Ok(api::routes(RapidSequence::new(settings))),
    worker_timeout,
    ..Mistake::USUAL
};

/// The default of gunicorn's worker time-out, of SQLAlchemy's wait for a connection, and the source's own for a call.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The status of a call over the quota.
const TOO_MANY_REQUESTS: u16 = 429;

/// The steps of the control, each cause in the step that it changes.
pub(crate) struct RapidSequence {
    causes: Causes,
    vendor_timeout: Duration,
    pool_timeout: Duration,
}

// ANCHOR: rapid-sequence
impl Steps for RapidSequence {
    async fn call_whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        // Cause `database`: the connection is held until the vendor has answered.
        let _connection = if self.has(Cause::Database) {
            state.database.count_call_within(self.pool_timeout, call.key.as_ref()).await?
        } else {
            None
        };
        let client = self.client(state)?;
        // Cause `timeout`: the answer takes the longer, the more tokens it has.
        let most = if self.has(Cause::Timeout) { self.vendor_timeout } else { state.limits.call_timeout };
        let ask_vendor = || client.whole_without_limits(&call);
        let (answer, _active) = self.in_order(state, &call, (most, UpstreamFailure::CallTimeout), ask_vendor).await?;
        Ok(answer)
    }

    fn client(&self, state: &AppState) -> Result<Client, Failure> {
        // Cause `client`: nothing is left of its connections for the next call.
        if self.has(Cause::Client) { ClientPerRequest.client(state) } else { Control.client(state) }
    }

    async fn count(&self, state: &AppState, call: &Call) -> Result<(), Failure> {
        // With the cause it has been counted.
        if self.has(Cause::Database) { Ok(()) } else { Control.count(state, call).await }
    }

    async fn attempts<T, Attempt: Future<Output = Result<T, Failure>>>(
        &self,
        state: &AppState,
        call: &Call,
        deadline: Deadline,
        attempt: impl Fn() -> Attempt,
    ) -> Result<T, Failure> {
        if !self.has(Cause::Throttling) {
            return retry::attempts(state, call, deadline, attempt).await;
        }
        match attempt().await {
            // MISTAKE rapid-sequence: the call went out without regard to the quota, and that the vendor says when
            // to come back is lost in a 500.
            Err(Failure::Rejected(refused)) if refused.status == TOO_MANY_REQUESTS => {
                Err(Failure::Internal("the vendor's 429 was not handled"))
            }
            answered => answered,
        }
    }
}
// ANCHOR_END: rapid-sequence

impl RapidSequence {
    fn new(settings: &Settings) -> Self {
        let CauseFlags { causes, vendor_timeout, pool_timeout } = settings.own.rapid_sequence.clone();
        let or_usual = |timeout: Option<Duration>| timeout.unwrap_or(TIMEOUT);
        RapidSequence { causes, vendor_timeout: or_usual(vendor_timeout), pool_timeout: or_usual(pool_timeout) }
    }

    fn has(&self, cause: Cause) -> bool {
        self.causes.include(cause)
    }
}

/// Cause `watchdog`: the server is a worker process, with this time-out.
fn worker_timeout(settings: &Settings) -> Result<Option<Duration>, String> {
    let (flags, given) = (&settings.own.rapid_sequence, settings.worker_timeout.and_then(|timeout| timeout.0));
    flags.require(Cause::Watchdog, "--worker-timeout", given)?;
    Ok(flags.causes.include(Cause::Watchdog).then(|| given.unwrap_or(TIMEOUT)))
}
