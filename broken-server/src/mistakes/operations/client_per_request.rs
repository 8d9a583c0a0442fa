//! Mistake `client-per-request`.
//!
//! What is wrong: each request makes an HTTP client for its call, and drops it afterwards. A client is above all a pool of
//! connections, so each call opens a connection, and none finds that of an earlier call.
//! Symptom: as many new connections as calls at the vendor, and as many closed ones (TIME_WAIT) on this machine; to a
//! vendor over TLS, two or three round trips before the first byte of each request.
//! Fix: fixed-server/src/upstream.rs, where one client is made at the start, for all calls.
//! Source: 002, "Cause 3" (`async with httpx.AsyncClient() as client` in the handler).
//! What is right: it is waste, and no error. Twelve calls one after another are all answered.

use crate::api;
use crate::errors::Failure;
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Steps;
use crate::state::AppState;
use crate::upstream::asynchronous::Client;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "client-per-request",
    group: Group::Operations,
    symptom: "as many new connections to the vendor as calls, one after another too",
    limits: true,
    routes: |_| Ok(api::routes(ClientPerRequest)),
    ..Mistake::USUAL
};

pub(crate) struct ClientPerRequest;

impl Steps for ClientPerRequest {
    // ANCHOR: client-per-request
    fn client(&self, state: &AppState) -> Result<Client, Failure> {
        // MISTAKE client-per-request: nothing is left of its connections for the next request.
        state.asynchronous.another().map_err(|_| Failure::Internal("no HTTP client could be made"))
    }
    // ANCHOR_END: client-per-request
}
