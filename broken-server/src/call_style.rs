//! What a mistake supplies: how the vendor is called.

mod once;
pub(crate) mod retry;

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;

use crate::call::Call;
use crate::chat::{self, Chat, Parse};
use crate::errors::Failure;
use crate::event_stream::EventStream;
use crate::state::AppState;

pub(crate) use once::AsyncOnce;

/// How the server calls the vendor. Most mistakes differ in this alone. All the rest is shared: which requests are
/// valid, when the status is sent, how a stream ends, what is counted.
pub(crate) trait CallStyle: Send + Sync + 'static {
    /// Whether it calls the vendor only with a permit. Then a call counts as active from its permit on, otherwise from
    /// its request on.
    const WITH_PERMIT: bool = false;

    /// Whether it records how a request ended. Otherwise the guard around the call does.
    const RECORDS_OUTCOME: bool = false;

    /// After how long without a first token an answer begins with a comment.
    fn early_keep_alive(&self, _state: &AppState) -> Option<Duration> {
        None
    }

    /// Reads a request for a chat from its body, before the vendor is called.
    async fn read(&self, state: &AppState, body: Bytes, parse: Parse) -> Result<Chat, Failure> {
        chat::read(state, body, parse).await
    }

    /// The vendor's stream. It may fail here or with an item; either way the client gets an HTTP error before the
    /// first token, and an error event after it. Dropped when the client disconnects.
    async fn stream(&self, state: &AppState, call: Call) -> Result<EventStream, Failure>;

    /// The vendor's whole answer. Dropped when the client disconnects.
    async fn whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure>;

    /// The vendor's summary of its answer to `call`, by a second call. Dropped when the client disconnects.
    async fn summary(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        let answer = self.whole(state, call.clone()).await?;
        self.whole(state, call.for_summary(&answer)?).await
    }

    /// The vendor's list of models.
    async fn models(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        self.whole(state, call).await
    }
}

/// A [`CallStyle`] as a trait object, so that the code around a call is compiled once and not for each mistake.
pub(crate) trait DynCallStyle: Send + Sync {
    /// [`CallStyle::WITH_PERMIT`]
    fn dyn_with_permit(&self) -> bool;
    /// [`CallStyle::RECORDS_OUTCOME`]
    fn dyn_records_outcome(&self) -> bool;
    /// [`CallStyle::early_keep_alive`]
    fn dyn_early_keep_alive(&self, state: &AppState) -> Option<Duration>;
    /// [`CallStyle::read`]
    fn dyn_read<'a>(
        &'a self,
        state: &'a AppState,
        body: Bytes,
        parse: Parse,
    ) -> LocalBoxFuture<'a, Result<Chat, Failure>>;
    /// [`CallStyle::stream`]
    fn dyn_stream<'a>(&'a self, state: &'a AppState, call: Call) -> LocalBoxFuture<'a, Result<EventStream, Failure>>;
    /// [`CallStyle::whole`]
    fn dyn_whole<'a>(&'a self, state: &'a AppState, call: Call) -> LocalBoxFuture<'a, Result<Bytes, Failure>>;
    /// [`CallStyle::summary`]
    fn dyn_summary<'a>(&'a self, state: &'a AppState, call: Call) -> LocalBoxFuture<'a, Result<Bytes, Failure>>;
    /// [`CallStyle::models`]
    fn dyn_models<'a>(&'a self, state: &'a AppState, call: Call) -> LocalBoxFuture<'a, Result<Bytes, Failure>>;
}

impl<C: CallStyle> DynCallStyle for C {
    fn dyn_with_permit(&self) -> bool {
        C::WITH_PERMIT
    }

    fn dyn_records_outcome(&self) -> bool {
        C::RECORDS_OUTCOME
    }

    fn dyn_early_keep_alive(&self, state: &AppState) -> Option<Duration> {
        self.early_keep_alive(state)
    }

    fn dyn_read<'a>(
        &'a self,
        state: &'a AppState,
        body: Bytes,
        parse: Parse,
    ) -> LocalBoxFuture<'a, Result<Chat, Failure>> {
        Box::pin(self.read(state, body, parse))
    }

    fn dyn_stream<'a>(&'a self, state: &'a AppState, call: Call) -> LocalBoxFuture<'a, Result<EventStream, Failure>> {
        Box::pin(self.stream(state, call))
    }

    fn dyn_whole<'a>(&'a self, state: &'a AppState, call: Call) -> LocalBoxFuture<'a, Result<Bytes, Failure>> {
        Box::pin(self.whole(state, call))
    }

    fn dyn_summary<'a>(&'a self, state: &'a AppState, call: Call) -> LocalBoxFuture<'a, Result<Bytes, Failure>> {
        Box::pin(self.summary(state, call))
    }

    fn dyn_models<'a>(&'a self, state: &'a AppState, call: Call) -> LocalBoxFuture<'a, Result<Bytes, Failure>> {
        Box::pin(self.models(state, call))
    }
}
