//! Mistake `pool-per-chunk`.
//!
//! What is wrong: a blocking client is read in the blocking pool, in one closure per chunk. The thread is
//! free between two chunks, but each closure holds it while it WAITS for the next. Starlette does this with
//! a generator that is not async.
//! Symptom: work for the pool queues behind threads that wait. From as many streams as threads on,
//! `/debug/health-sync` is late by up to a token gap if the streams' tokens come together; if they are spread
//! out, by gap x (1 - threads / streams), which is Little's law. Nothing times out, so it is easily mistaken
//! for a busy machine; `/debug/health-async` stays fast.
//! Fix: fixed-server/src/upstream/events.rs, where the stream is read asynchronously.
//! Source: 000, pattern 1; its "0.12s (slow!)" is this form of it, not the other.

use bytes::Bytes;
use futures_util::stream;

use crate::api;
use crate::call::Call;
use crate::call_style::CallStyle;
use crate::errors::Failure;
use crate::event_stream::EventStream;
use crate::mistake::{Group, Mistake};
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "pool-per-chunk",
    group: Group::Threads,
    symptom: "from as many streams as pool threads on, /debug/health-sync is late by up to a token gap",
    routes: |_| Ok(api::routes(PoolPerChunk)),
    ..Mistake::USUAL
};

pub(crate) struct PoolPerChunk;

impl CallStyle for PoolPerChunk {
    async fn stream(&self, state: &AppState, call: Call) -> Result<EventStream, Failure> {
        let pool = state.pool.clone();
        let reader = state.blocking.stream(call);
        // ANCHOR: pool-per-chunk
        // MISTAKE pool-per-chunk: a thread of the pool waits for each chunk.
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
