//! What a mistake supplies: how the vendor is called. Everything around such a call.

mod once;
pub(crate) mod retry;

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{self, LocalBoxStream, Stream, StreamExt};
use wire::{STREAM_METHOD_HEADER, sse};

use crate::errors::{Failure, add_headers};
use crate::metrics::{ActiveCall, CallGuard};
use crate::relay::Relay;
use crate::state::AppState;
use crate::upstream::{Call, Message};

pub(crate) use once::AsyncOnce;

/// How the server calls the vendor: the one thing in which the mistakes differ. All around it is
/// shared: what is a good request, when the status is sent, how a stream ends, what is counted.
pub(crate) trait CallStyle: Send + Sync + 'static {
    /// Whether it calls the vendor only with a permit. From the permit on a call is under way; where there
    /// is none, from its request on.
    const WITH_PERMIT: bool = false;

    /// The vendor's stream. A failure may come here or as an item; either way the client gets it as
    /// an HTTP error before the first token and as an error event after it. Dropped when the client
    /// leaves.
    async fn stream(&self, state: &AppState, call: Call) -> Result<Messages, Failure>;

    /// The vendor's whole answer. Dropped when the client leaves.
    async fn whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure>;

    /// The vendor's list of models.
    async fn models(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        self.whole(state, call).await
    }
}

/// A [`CallStyle`] of any type: what is around a call is compiled once, and not once for each mistake.
pub(crate) trait AnyStyle: Send + Sync {
    /// [`CallStyle::WITH_PERMIT`]
    fn any_with_permit(&self) -> bool;
    /// [`CallStyle::stream`]
    fn any_stream<'a>(&'a self, state: &'a AppState, call: Call) -> LocalBoxFuture<'a, Result<Messages, Failure>>;
    /// [`CallStyle::whole`]
    fn any_whole<'a>(&'a self, state: &'a AppState, call: Call) -> LocalBoxFuture<'a, Result<Bytes, Failure>>;
    /// [`CallStyle::models`]
    fn any_models<'a>(&'a self, state: &'a AppState, call: Call) -> LocalBoxFuture<'a, Result<Bytes, Failure>>;
}

impl<C: CallStyle> AnyStyle for C {
    fn any_with_permit(&self) -> bool {
        C::WITH_PERMIT
    }

    fn any_stream<'a>(&'a self, state: &'a AppState, call: Call) -> LocalBoxFuture<'a, Result<Messages, Failure>> {
        Box::pin(self.stream(state, call))
    }

    fn any_whole<'a>(&'a self, state: &'a AppState, call: Call) -> LocalBoxFuture<'a, Result<Bytes, Failure>> {
        Box::pin(self.whole(state, call))
    }

    fn any_models<'a>(&'a self, state: &'a AppState, call: Call) -> LocalBoxFuture<'a, Result<Bytes, Failure>> {
        Box::pin(self.models(state, call))
    }
}

/// The vendor's messages, up to `[DONE]` or the failure that ended them.
pub(crate) struct Messages {
    stream: LocalBoxStream<'static, Result<Message, Failure>>,
    method: &'static str,
    /// What ends with them. Behind them, so that the vendor's call ends before its permit is given back.
    _held: Option<ActiveCall>,
}

impl Messages {
    /// Messages that a thread waits for.
    pub(crate) fn blocking(stream: impl Stream<Item = Result<Message, Failure>> + 'static) -> Self {
        Messages { stream: stream.boxed_local(), method: "blocking", _held: None }
    }

    /// Messages that no thread waits for.
    pub(crate) fn asynchronous(stream: impl Stream<Item = Result<Message, Failure>> + 'static) -> Self {
        Messages { stream: stream.boxed_local(), method: "async", _held: None }
    }

    /// The same, after some that were taken from them already.
    pub(crate) fn after(self, taken: Vec<Message>) -> Self {
        let taken = stream::iter(taken.into_iter().map(Ok));
        Messages { stream: taken.chain(self.stream).boxed_local(), ..self }
    }

    /// The same, holding `call` to their end.
    pub(crate) fn holding(self, call: ActiveCall) -> Self {
        Messages { _held: Some(call), ..self }
    }

    /// What `X-Stream-Method` says: `blocking` or `async`.
    pub(crate) fn method(&self) -> &'static str {
        self.method
    }
}

impl Stream for Messages {
    type Item = Result<Message, Failure>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.poll_next_unpin(cx)
    }
}

/// Answers with the vendor's stream, once its first token is there.
pub(crate) async fn answer_streamed(
    style: &dyn AnyStyle,
    state: &AppState,
    call: Call,
) -> Result<HttpResponse, Failure> {
    let format = call.format;
    let mut guard = begin(style, state, &call)?;
    let progress = call.progress.clone();
    let opening = async {
        let messages = style.any_stream(state, call).await?;
        Relay::open(messages, format, &mut guard).await
    };
    match state.until_cut(opening).await {
        Ok(relay) => {
            let mut response = HttpResponse::Ok();
            add_headers(&mut response, &progress.take_rate_limits());
            Ok(response
                .content_type(sse::CONTENT_TYPE)
                .insert_header((CACHE_CONTROL, "no-cache"))
                // nginx would gather the tokens of a while otherwise.
                .insert_header(("x-accel-buffering", "no"))
                .insert_header((STREAM_METHOD_HEADER, relay.method()))
                .streaming(relay.into_body(guard, state.cut.clone())))
        }
        Err(failure) => {
            guard.failed(&failure);
            Ok(failure.response_after(progress.attempts()))
        }
    }
}

/// Answers with the vendor's whole answer, as it came.
pub(crate) async fn answer_whole(style: &dyn AnyStyle, state: &AppState, call: Call) -> Result<HttpResponse, Failure> {
    let mut guard = begin(style, state, &call)?;
    let progress = call.progress.clone();
    match state.until_cut(style.any_whole(state, call)).await {
        Ok(answer) => {
            guard.succeeded();
            let mut response = HttpResponse::Ok();
            add_headers(&mut response, &progress.take_rate_limits());
            Ok(response.content_type("application/json").body(answer))
        }
        Err(failure) => {
            guard.failed(&failure);
            Ok(failure.response_after(progress.attempts()))
        }
    }
}

fn begin(style: &dyn AnyStyle, state: &AppState, call: &Call) -> Result<CallGuard, Failure> {
    let mut guard = state.begin_call(&call.request_id)?;
    if !style.any_with_permit() {
        guard.call_without_permit();
    }
    Ok(guard)
}
