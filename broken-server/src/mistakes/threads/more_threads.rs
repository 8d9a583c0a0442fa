//! Mistake `more-threads`.
//!
//! What is wrong: the pool that was too small is made larger, and each stream still keeps a thread.
//! How it shows: all that `pool-exhaustion` shows, at another number of streams: exactly that of the
//! threads. Streams x seconds decide how many threads are needed (Little's law), so the next busier day
//! finds the new limit; until then each stream costs a thread's memory.
//! Where the fix is: fixed-server/src/upstream/events.rs, where a stream has no thread that could be
//! counted.
//! Who says so: source 000 gives 40 threads as the limit; to raise it is what its readers try first.

use crate::api::{self, Routes};
use crate::mistake::{Group, Mistake};
use crate::mistakes::threads::pool_exhaustion::PoolExhaustion;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "more-threads",
    group: Group::Threads,
    symptom: "as pool-exhaustion, at as many streams as the larger pool has threads; each costs a thread's memory",
    file: "src/mistakes/threads/more_threads.rs",
    blocking_threads: THREADS,
    limits: false,
    own_flags: &[],
    routes: |_| Ok(routes()),
};

// ANCHOR: more-threads
// MISTAKE more-threads: four times as many, as if the number were what is wrong.
pub(crate) const THREADS: u16 = 4 * 40;

pub(crate) fn routes() -> Routes {
    api::routes(PoolExhaustion)
}
// ANCHOR_END: more-threads
