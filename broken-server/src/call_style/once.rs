//! The asynchronous client, asked once.

use bytes::Bytes;

use super::CallStyle;
use crate::call::Call;
use crate::errors::Failure;
use crate::event_stream::EventStream;
use crate::state::AppState;

/// The asynchronous client, asked once, under the limits that it has itself: for mistakes in which
/// something else is wrong. How it is to be asked is in `mistakes/none.rs`.
pub(crate) struct AsyncOnce;

impl CallStyle for AsyncOnce {
    async fn stream(&self, state: &AppState, call: Call) -> Result<EventStream, Failure> {
        Ok(EventStream::asynchronous(state.asynchronous.stream(call)))
    }

    async fn whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        state.asynchronous.whole(&call).await
    }
}
