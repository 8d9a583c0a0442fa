//! Mistake `noisy-neighbour`.
//!
//! What is wrong: all requests wait in one queue, whoever sends them, and nothing limits one user. The queue is bounded,
//! and a request that would wait too long is rejected at once. But which one that is has nothing to do with who filled
//! the queue: a user with nine tenths of the requests gets nine tenths of the capacity.
//! Symptom: one script with a busy loop, and everybody else gets 429 `overloaded` for a handful of requests. No limit is
//! exceeded but the server's own. `--user-rate-limit` and `--user-max-in-flight` have no effect.
//! Fix: fixed-server/src/request.rs, where a request needs a permit of its user before anything that all users share.
//! Source: 001 has "per-user limits (REJECT)" first in its order, nothing of it in its code, and lists it under what to
//! add "only if needed". 003 does not mention users.

use gateway::{KeyHash, Users};

use crate::api;
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Control;
use crate::settings::Settings;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "noisy-neighbour",
    group: Group::Calls,
    symptom: "one user with most of the requests gets most of the capacity, and all others are rejected with it",
    limits: true,
    users,
    routes: |_| Ok(api::routes(Control)),
    ..Mistake::USUAL
};

// ANCHOR: noisy-neighbour
fn users(_settings: &Settings) -> Option<Users<KeyHash>> {
    // MISTAKE noisy-neighbour: no user has a limit, so the queue belongs to whoever sends most.
    None
}
// ANCHOR_END: noisy-neighbour
