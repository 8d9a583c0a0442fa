//! The control: no mistake.
//!
//! What is right: the vendor's stream is polled inside the response's body, by an asynchronous
//! client. A stream that waits costs neither a thread nor a task, and when the client leaves, the
//! body is dropped and with it the call, also while the vendor is silent.
//! How it shows: both health routes stay as fast as idle, whatever the number of streams.
//! Why it is here: this server is actix and fixed-server is axum. With `--mistake none` the
//! framework stays and the mistake goes.

use bytes::Bytes;
use futures_util::StreamExt;

use crate::calls::{CallStyle, Messages};
use crate::errors::Failure;
use crate::state::AppState;
use crate::vendor::Call;

pub(crate) struct Control;

impl CallStyle for Control {
    const METHOD: &'static str = "async";

    async fn stream(state: &AppState, call: Call) -> Result<Messages, Failure> {
        Ok(state.asynchronous.stream(call).boxed_local())
    }

    async fn whole(state: &AppState, call: Call) -> Result<Bytes, Failure> {
        state.asynchronous.whole(&call).await
    }
}
