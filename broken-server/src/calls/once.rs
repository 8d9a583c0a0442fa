//! The asynchronous client, asked once.

use bytes::Bytes;

use super::{CallStyle, Messages};
use crate::errors::Failure;
use crate::state::AppState;
use crate::upstream::Call;

/// The asynchronous client, asked once, under the limits that it has itself: for mistakes in which
/// something else is wrong. How it is to be asked is in `mistakes/none.rs`.
pub(crate) struct AsyncOnce;

impl CallStyle for AsyncOnce {
    async fn stream(&self, state: &AppState, call: Call) -> Result<Messages, Failure> {
        Ok(Messages::asynchronous(state.asynchronous.stream(call)))
    }

    async fn whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        state.asynchronous.whole(&call).await
    }
}
