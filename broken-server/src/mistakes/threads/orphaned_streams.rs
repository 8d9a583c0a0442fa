//! Mistake `orphaned-streams`.
//!
//! What is wrong: nothing checks whether the client is still connected. The thread that reads the vendor
//! reads to the end and discards the rest, and queued work is done although its client has disconnected.
//! Symptom: after the last client has disconnected, the vendor is still called and paid for nearly all
//! tokens, and the pool stays full meanwhile. Clients that give up and try again make it worse.
//! Fix: fixed-server/src/body.rs, where dropping the response body ends the call.
//! Source: 000 checks `request.is_disconnected()` before each chunk, which helps only when a chunk comes;
//! 001 and 003 do not mention it.

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;

use crate::api;
use crate::call::Call;
use crate::call_style::CallStyle;
use crate::errors::Failure;
use crate::event_stream::EventStream;
use crate::mistake::{Group, Mistake};
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "orphaned-streams",
    group: Group::Threads,
    symptom: "after all clients have disconnected, the vendor is still called and generates nearly every token",
    routes: |_| Ok(api::routes(OrphanedStreams)),
    ..Mistake::USUAL
};

/// Messages that the thread may read ahead of the client.
const MESSAGES_AHEAD: usize = 16;

pub(crate) struct OrphanedStreams;

// ANCHOR: orphaned-streams
// MISTAKE orphaned-streams: `send` fails when the client has disconnected, and the error is ignored.
impl CallStyle for OrphanedStreams {
    async fn stream(&self, state: &AppState, call: Call) -> Result<EventStream, Failure> {
        let (sender, receiver) = mpsc::channel(MESSAGES_AHEAD);
        let reader = state.blocking.stream(call);
        state.pool.spawn(move || {
            for message in reader {
                let _ = sender.blocking_send(message);
            }
        });
        Ok(EventStream::blocking(ReceiverStream::new(receiver)))
    }

    async fn whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        let (sender, receiver) = oneshot::channel();
        let client = state.blocking.clone();
        state.pool.spawn(move || {
            let _ = sender.send(client.whole(&call));
        });
        receiver.await.unwrap_or(Err(Failure::Internal("a call in the blocking pool panicked")))
    }
}
// ANCHOR_END: orphaned-streams
