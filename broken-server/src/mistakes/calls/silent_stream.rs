//! Mistake `silent-stream`.
//!
//! What is wrong: nothing is sent before the first token, however long the model thinks. For what stands in front of the
//! server, a load balancer or a proxy, a connection without a byte for its whole idle time-out is a dead one.
//! Symptom: streams with a late first token end with a 504 of the balancer, all at the same age. The server counts clients
//! that disconnect, and no failure; the vendor has worked for nothing. `--early-keep-alive` is accepted, as by the
//! control, and does nothing.
//! Fix: fixed-server/src/body/early.rs, which sends comments until the first token; or a longer time-out at the balancer.
//! Source: none of them. 002 knows that the balancer's time-out "is usually 60s", and lets a call take five minutes.
//! What is right: the status can still say what happened, as long as nothing has been sent. Comments give that up.

use std::time::Duration;

use crate::api;
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Steps;
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "silent-stream",
    group: Group::Calls,
    symptom: "behind a balancer, a first token later than its idle time-out is a 504, whatever --early-keep-alive says",
    limits: true,
    routes: |_| Ok(api::routes(SilentStream)),
    ..Mistake::USUAL
};

pub(crate) struct SilentStream;

impl Steps for SilentStream {
    // ANCHOR: silent-stream
    fn early_keep_alive(&self, _state: &AppState) -> Option<Duration> {
        // MISTAKE silent-stream: the answer begins with its first token, however late that is.
        None
    }
    // ANCHOR_END: silent-stream
}
