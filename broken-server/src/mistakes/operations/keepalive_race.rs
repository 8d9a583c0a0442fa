//! Mistake `keepalive-race`.
//!
//! What is wrong: the server closes a connection that has been idle for 5 s, as its framework does by default, and the
//! balancer in front of it keeps such connections for 60 s to use them again.
//! Symptom: now and then the balancer answers 502 to a request that comes about 5 s after the last one. The server's log
//! and metrics know nothing of it: the request arrived on a connection that was being closed, and was never read.
//! Fix: fixed-server/src/net/accept.rs, where connections are kept for longer than by the balancer.
//! Source: 002 has it right: `--keep-alive 75`, "ALB timeout is usually 60s". The default is 5 s in uvicorn and in
//! actix-web, and was so in Node (nodejs/node#59193).

use std::time::Duration;

use crate::mistake::{Group, Mistake};
use crate::mistakes::none;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "keepalive-race",
    group: Group::Operations,
    symptom: "behind a balancer, single requests get a 502 after a pause of 5 s, and nothing is in the server's log",
    keep_alive_timeout: Some(KEEP_ALIVE_TIMEOUT),
    limits: true,
    routes: |_| Ok(none::routes()),
    ..Mistake::USUAL
};

// ANCHOR: keepalive-race
// MISTAKE keepalive-race: the framework's default. Of two sides that share a connection, the one that does not send
// requests closes it first.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);
// ANCHOR_END: keepalive-race
