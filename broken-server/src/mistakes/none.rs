//! The control: no mistake.
//!
//! What is right: the vendor's stream is polled inside the response's body, by an asynchronous
//! client. A stream that waits costs neither a thread nor a task, and when the client leaves, the
//! body is dropped and with it the call, also while the vendor is silent.
//! How it shows: both health routes stay as fast as idle, whatever the number of streams.
//! Why it is here: this server is actix and fixed-server is axum. With `--mistake none` the
//! framework stays and the mistake goes.

use bytes::Bytes;

use crate::api::{self, Routes};
use crate::calls::{CallStyle, Messages};
use crate::errors::Failure;
use crate::mistakes::threads::hidden_pool_users::with_look_ups;
use crate::state::AppState;
use crate::vendor::Call;

pub(crate) struct Control;

pub(crate) fn routes() -> Routes {
    // Those that use the pool without saying so do no harm: here nobody holds it.
    with_look_ups(api::routes(Control))
}

impl CallStyle for Control {
    async fn stream(&self, state: &AppState, call: Call) -> Result<Messages, Failure> {
        Ok(Messages::asynchronous(state.asynchronous.stream(call)))
    }

    async fn whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        state.asynchronous.whole(&call).await
    }
}
