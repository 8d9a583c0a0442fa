use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use bytes::Bytes;
use futures_util::stream::LocalBoxStream;
use wire::{STREAM_METHOD_HEADER, sse};

use crate::errors::Failure;
use crate::relay::{Format, Relay};
use crate::state::AppState;
use crate::vendor::{Call, Message};

/// How the server calls the vendor: the one thing in which the mistakes differ. All around it is
/// shared: what is a good request, when the status is sent, how a stream ends, what is counted.
pub(crate) trait CallStyle: 'static {
    /// The `X-Stream-Method` of its streams: `blocking` or `async`.
    const METHOD: &'static str;

    /// The vendor's stream. A failure may come here or as an item; either way the client gets it as
    /// an HTTP error before the first token and as an error event after it. Dropped when the client
    /// leaves.
    async fn stream(state: &AppState, call: Call) -> Result<Messages, Failure>;

    /// The vendor's whole answer. Dropped when the client leaves.
    async fn whole(state: &AppState, call: Call) -> Result<Bytes, Failure>;
}

/// The vendor's messages, up to `[DONE]` or the failure that ended them.
pub(crate) type Messages = LocalBoxStream<'static, Result<Message, Failure>>;

/// Answers with the vendor's stream, once its first token is there.
pub(crate) async fn answer_streamed<C: CallStyle>(
    state: &AppState,
    call: Call,
    format: Format,
) -> Result<HttpResponse, Failure> {
    let mut guard = state.begin_call(&call.request_id)?;
    let opening = async {
        let messages = C::stream(state, call).await?;
        Relay::open(messages, format, &mut guard).await
    };
    match state.until_cut(opening).await {
        Ok(relay) => Ok(HttpResponse::Ok()
            .content_type(sse::CONTENT_TYPE)
            .insert_header((CACHE_CONTROL, "no-cache"))
            // nginx would gather the tokens of a while otherwise.
            .insert_header(("x-accel-buffering", "no"))
            .insert_header((STREAM_METHOD_HEADER, C::METHOD))
            .streaming(relay.into_body(guard, state.cut.clone()))),
        Err(failure) => {
            guard.failed(&failure);
            Err(failure)
        }
    }
}

/// Answers with the vendor's whole answer, as it came.
pub(crate) async fn answer_whole<C: CallStyle>(state: &AppState, call: Call) -> Result<HttpResponse, Failure> {
    let mut guard = state.begin_call(&call.request_id)?;
    match state.until_cut(C::whole(state, call)).await {
        Ok(answer) => {
            guard.succeeded();
            Ok(HttpResponse::Ok().content_type("application/json").body(answer))
        }
        Err(failure) => {
            guard.failed(&failure);
            Err(failure)
        }
    }
}
