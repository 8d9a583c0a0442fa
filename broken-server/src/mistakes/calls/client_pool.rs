//! Mistake `client-pool`.
//!
//! What is wrong: the vendor's client opens 100 connections at most, which is the default of several libraries and has
//! nothing to do with `--max-in-flight`. A stream keeps its connection to its end. Who finds none free waits in the client,
//! and that wait times out like one for the vendor, so it is tried again, counted and reported as the vendor's fault.
//! Symptom: the vendor never has more than 100 calls at once, and the rest fail with "the vendor did not answer in
//! time", with an idle vendor, an idle processor and an empty queue. `llm_call_timeout_total` grows.
//! Fix: fixed-server/src/state.rs, where `--max-in-flight` is the one limit on calls at once. Its client has none, and a
//! call over the limit is rejected as what it is: this server is overloaded.
//! Source: 002, whose client has `max_connections=100`, and 001, which catches `httpx.TimeoutException` as "vendor /
//! network slowness" (`PoolTimeout` is one). lighteval#1190, pydantic-ai#3828, litellm#14895.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::api;
use crate::call::Call;
use crate::errors::{Failure, UpstreamFailure};
use crate::event_stream::EventStream;
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Steps;
use crate::relay::first_token;
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "client-pool",
    group: Group::Calls,
    symptom: "the vendor has 100 calls at most, and all others fail as if it were slow, with the queue empty",
    limits: true,
    own_flags: &["client_connections", "client_pool_timeout"],
    routes: |settings| {
        let (connections, wait) = (settings.own.client_connections, settings.own.client_pool_timeout);
        Ok(api::routes(ClientPool::new(connections, wait)))
    },
    ..Mistake::USUAL
};

/// A client's pool of connections as in httpx, aiohttp and awc: each call holds one from its request to the end of its
/// answer, and waits for one when all are in use. reqwest has no such limit.
pub(crate) struct ClientPool {
    connections: Arc<Semaphore>,
    wait: Duration,
}

impl ClientPool {
    fn new(connections: NonZeroUsize, wait: Duration) -> Self {
        let connections = connections.get().min(Semaphore::MAX_PERMITS);
        ClientPool { connections: Arc::new(Semaphore::new(connections)), wait }
    }
}

// ANCHOR: client-pool
impl ClientPool {
    /// A connection of the client's.
    async fn connection(&self, too_slow: UpstreamFailure) -> Result<OwnedSemaphorePermit, Failure> {
        let free = timeout(self.wait, Arc::clone(&self.connections).acquire_owned()).await;
        // MISTAKE client-pool: the call has its permit of --max-in-flight, and waits for another one that nobody has
        // sized. When it gets none, the vendor is said to be too slow, which has not even been asked.
        Ok(free.ok().and_then(Result::ok).ok_or(too_slow)?)
    }
}

impl Steps for ClientPool {
    async fn open_stream(&self, state: &AppState, call: Call) -> Result<EventStream, Failure> {
        let client = self.client(state)?;
        let limit = (client.first_token_timeout(), UpstreamFailure::FirstTokenTimeout);
        let ask_vendor = || async {
            let connection = self.connection(UpstreamFailure::FirstTokenTimeout).await?;
            // The stream keeps it.
            let messages = EventStream::asynchronous(client.stream(call.clone())).keeping(connection);
            first_token(messages, call.format).await
        };
        let (messages, active) = self.in_order(state, &call, limit, ask_vendor).await?;
        Ok(messages.holding(active))
    }

    async fn call_whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        let client = self.client(state)?;
        let limit = (state.limits.call_timeout, UpstreamFailure::CallTimeout);
        let ask_vendor = || async {
            let _connection = self.connection(UpstreamFailure::CallTimeout).await?;
            client.whole_without_limits(&call).await
        };
        let (answer, _active) = self.in_order(state, &call, limit, ask_vendor).await?;
        Ok(answer)
    }
}
// ANCHOR_END: client-pool
