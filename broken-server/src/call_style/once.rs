//! The asynchronous client, without limits and retries.

use bytes::Bytes;

use super::CallStyle;
use crate::call::Call;
use crate::errors::Failure;
use crate::event_stream::EventStream;
use crate::state::AppState;

/// One call by the asynchronous client, with no limits but the client's own timeouts: for mistakes in which something
/// else is wrong. `mistakes/none.rs` shows how to call it with all limits.
pub(crate) struct AsyncOnce;

impl CallStyle for AsyncOnce {
    async fn stream(&self, state: &AppState, call: Call) -> Result<EventStream, Failure> {
        Ok(EventStream::asynchronous(state.asynchronous.stream(call)))
    }

    async fn whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        state.asynchronous.whole(&call).await
    }
}
