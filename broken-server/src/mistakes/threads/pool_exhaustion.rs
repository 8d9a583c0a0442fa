//! Mistake `pool-exhaustion`.
//!
//! What is wrong: a blocking client reads the whole stream in one closure of the blocking pool, so each
//! stream holds a thread from its request to its end, and waits nearly all of that time.
//! Symptom: with as many streams as threads, the next work for the pool waits for a stream to end:
//! `/debug/health-sync` hangs while `/debug/health-async` stays fast and the CPU is idle.
//! Fix: fixed-server/src/upstream/events.rs, where the stream is read asynchronously.
//! Source: 000, pattern 1 ("holds thread for 30-60s").

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::api;
use crate::call::Call;
use crate::call_style::CallStyle;
use crate::errors::Failure;
use crate::event_stream::EventStream;
use crate::mistake::{Group, Mistake};
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "pool-exhaustion",
    group: Group::Threads,
    symptom: "from as many streams as pool threads on, /debug/health-sync hangs; /debug/health-async stays fast",
    routes: |_| Ok(api::routes(PoolExhaustion)),
    ..Mistake::USUAL
};

/// Messages that the thread may read ahead of the client: a client that reads slowly slows the thread and the
/// vendor down, and does not fill the memory.
const MESSAGES_AHEAD: usize = 16;

pub(crate) struct PoolExhaustion;

impl CallStyle for PoolExhaustion {
    async fn stream(&self, state: &AppState, call: Call) -> Result<EventStream, Failure> {
        let (sender, receiver) = mpsc::channel(MESSAGES_AHEAD);
        let reader = state.blocking.stream(call);
        // ANCHOR: pool-exhaustion
        // MISTAKE pool-exhaustion: one closure reads the whole stream and holds its thread until [DONE].
        state.pool.spawn(move || {
            // The client may have disconnected while this waited for a thread.
            if sender.is_closed() {
                return;
            }
            for message in reader {
                if sender.blocking_send(message).is_err() {
                    return;
                }
            }
        });
        // ANCHOR_END: pool-exhaustion
        Ok(EventStream::blocking(ReceiverStream::new(receiver)))
    }

    async fn whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        let client = state.blocking.clone();
        state.pool.run(move || client.whole(&call)).await?
    }
}
