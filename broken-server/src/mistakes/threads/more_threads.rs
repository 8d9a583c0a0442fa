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
use crate::mistakes::threads::PoolExhaustion;

// ANCHOR: more-threads
// MISTAKE more-threads: four times as many, as if the number were what is wrong.
pub(crate) const THREADS: u16 = 4 * 40;

pub(crate) fn routes() -> Routes {
    api::routes(PoolExhaustion)
}
// ANCHOR_END: more-threads
