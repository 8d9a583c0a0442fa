//! Mistake `slow-reader`.
//!
//! What is wrong: a task reads the vendor's stream as fast as it comes and puts it into a queue without a bound, from
//! which the response body takes what the client reads. What the client leaves unread stays in memory.
//! Symptom: a few clients that open a stream and stop reading fill the memory, although the vendor's calls succeed and
//! the event loop is idle. The operating system kills the process, and all other streams with it.
//! Fix: fixed-server/src/net/accept.rs, where the connection polls the vendor's stream itself, and a client that does
//! not read loses its connection.
//! Source: none of them mentions a client that does not read. A queue between the reader of the vendor and the response
//! is the usual way to use 000's asynchronous pattern: `asyncio.Queue()` has no bound either.
//! What is right: the vendor's call ends sooner, and its permit with it; and it ends when the client disconnects.

use actix_web::rt::spawn;
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

use crate::api;
use crate::call::Call;
use crate::errors::Failure;
use crate::event_stream::EventStream;
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::{Control, Steps};
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "slow-reader",
    group: Group::Calls,
    symptom: "memory grows by all that the vendor sends and clients do not read",
    limits: true,
    routes: |_| Ok(api::routes(SlowReader)),
    ..Mistake::USUAL
};

pub(crate) struct SlowReader;

impl Steps for SlowReader {
    // ANCHOR: slow-reader
    async fn open_stream(&self, state: &AppState, call: Call) -> Result<EventStream, Failure> {
        let mut messages = Control.open_stream(state, call).await?;
        // MISTAKE slow-reader: nothing slows the vendor down when the client does not read, and the queue has no bound.
        let (queue, queued) = mpsc::unbounded_channel();
        spawn(async move {
            let read_all = async {
                while let Some(message) = messages.next().await {
                    let _ = queue.send(message);
                }
            };
            tokio::select! {
                () = read_all => {}
                // The client has disconnected.
                () = queue.closed() => {}
            }
        });
        Ok(EventStream::asynchronous(UnboundedReceiverStream::new(queued)))
    }
    // ANCHOR_END: slow-reader
}
