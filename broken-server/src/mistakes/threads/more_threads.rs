//! Mistake `more-threads`.
//!
//! What is wrong: the pool that was too small is made larger, and each stream still holds a thread.
//! Symptom: all that `pool-exhaustion` shows, at exactly as many streams as the larger pool has threads. The
//! threads needed are arrivals per second x seconds (Little's law), so the next busier day finds the new limit; until
//! then each stream costs the memory of a thread.
//! Fix: fixed-server/src/upstream/events.rs, where a stream holds no thread.
//! Source: 000 gives 40 threads as the limit; its readers will try to raise that first.

use crate::api::{self, Routes};
use crate::mistake::{Group, Mistake};
use crate::mistakes::threads::pool_exhaustion::PoolExhaustion;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "more-threads",
    group: Group::Threads,
    symptom: "as pool-exhaustion, at as many streams as the larger pool has threads; each costs a thread's memory",
    blocking_threads: THREADS,
    routes: |_| Ok(routes()),
    ..Mistake::USUAL
};

// ANCHOR: more-threads
// MISTAKE more-threads: four times as many, as if their number were the problem.
pub(crate) const THREADS: u16 = 4 * 40;

pub(crate) fn routes() -> Routes {
    api::routes(PoolExhaustion)
}
// ANCHOR_END: more-threads
