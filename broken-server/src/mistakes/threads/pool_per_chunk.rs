//! Mistake `pool-per-chunk`.
//!
//! What is wrong: a blocking client is read in the blocking pool, one closure for each chunk. The
//! thread is given back between two chunks, but each closure holds it while it WAITS for the next.
//! It is what Starlette does with a generator that is not async.
//! How it shows: work for the pool queues behind threads that wait. From as many streams as threads on,
//! `/debug/health-sync` is late by up to a token gap when the streams' tokens come together; spread
//! out, by gap x (1 - threads / streams), which is Little's law. There are no time-outs, so it is easily
//! taken for a busy machine; `/debug/health-async` stays fast.
//! Where the fix is: fixed-server/src/upstream/events.rs, where the stream is read asynchronously.
//! Who says so: source 000, pattern 1; its "0.12s (slow!)" is this form of it, not the other.

use bytes::Bytes;
use futures_util::stream;

use crate::api;
use crate::call::Call;
use crate::call_style::CallStyle;
use crate::errors::Failure;
use crate::event_stream::EventStream;
use crate::mistake::{Group, Mistake};
use crate::settings::BLOCKING_THREADS;
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "pool-per-chunk",
    group: Group::Threads,
    symptom: "from as many streams as pool threads on, /debug/health-sync is late by up to a token gap",
    file: "src/mistakes/threads/pool_per_chunk.rs",
    blocking_threads: BLOCKING_THREADS,
    limits: false,
    own_flags: &[],
    routes: |_| Ok(api::routes(PoolPerChunk)),
};

pub(crate) struct PoolPerChunk;

impl CallStyle for PoolPerChunk {
    async fn stream(&self, state: &AppState, call: Call) -> Result<EventStream, Failure> {
        let pool = state.pool.clone();
        let reader = state.blocking.stream(call);
        // ANCHOR: pool-per-chunk
        // MISTAKE pool-per-chunk: each chunk takes a thread of the pool to wait for it.
        let messages = stream::unfold(Some(reader), move |reader| {
            let pool = pool.clone();
            async move {
                let mut reader = reader?;
                match pool.run(move || (reader.next(), reader)).await {
                    Ok((message, reader)) => Some((message?, Some(reader))),
                    Err(failure) => Some((Err(failure), None)),
                }
            }
        });
        // ANCHOR_END: pool-per-chunk
        Ok(EventStream::blocking(messages))
    }

    async fn whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        let client = state.blocking.clone();
        state.pool.run(move || client.whole(&call)).await?
    }
}
