//! The answer to a request for the model, streamed or whole.

use std::sync::Arc;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Data;
use actix_web::{HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use tokio::time::timeout;
use wire::{STREAM_METHOD_HEADER, sse};

use crate::call::{Call, Progress};
use crate::call_guard::CallGuard;
use crate::call_style::DynCallStyle;
use crate::errors::{ErrorResponse, Failure, add_headers};
use crate::relay::{EarlyBody, Opening, Relay, StreamBody};
use crate::state::AppState;

/// Answers with the vendor's stream, once its first token is there; or earlier, with `--early-keep-alive`.
pub(super) async fn answer_streamed(
    style: Data<dyn DynCallStyle>,
    state: Data<AppState>,
    call: Call,
) -> Result<HttpResponse, ErrorResponse> {
    let (progress, format) = (call.progress.clone(), call.format);
    let guard = begin(&**style, &state, &call)?;
    let early = style.dyn_early_keep_alive(&state);
    let mut opening: Opening = Box::pin(open(style, state, call, guard));
    let opened = match early {
        None => opening.await,
        Some(interval) => match timeout(interval, &mut opening).await {
            Ok(opened) => opened,
            Err(_) => return Ok(stream_head(EARLY_METHOD).streaming(EarlyBody::new(opening, interval, format))),
        },
    };
    match opened {
        Ok(body) => {
            let mut response = stream_head(body.method());
            add_headers(&mut response, &progress.take_rate_limits());
            Ok(response.streaming(body))
        }
        Err(failure) => Err(ErrorResponse::after(progress.attempts(), failure)),
    }
}

/// Opens the vendor's stream. It is dropped if the client disconnects.
async fn open(
    style: Data<dyn DynCallStyle>,
    state: Data<AppState>,
    call: Call,
    mut guard: CallGuard,
) -> Result<StreamBody, Failure> {
    let format = call.format;
    let opening = async {
        let messages = style.dyn_stream(&state, call).await?;
        Relay::open(messages, format, &mut guard).await
    };
    match state.until_grace_over(opening).await {
        Ok(relay) => Ok(relay.into_body(guard, state.grace_over.clone())),
        Err(failure) => {
            guard.failed(&failure);
            Err(failure)
        }
    }
}

/// The head of an answer with a stream.
fn stream_head(method: &'static str) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .content_type(sse::CONTENT_TYPE)
        .insert_header((CACHE_CONTROL, "no-cache"))
        // Otherwise nginx would buffer the tokens.
        .insert_header(("x-accel-buffering", "no"))
        .insert_header((STREAM_METHOD_HEADER, method));
    response
}

/// Answers with the vendor's whole answer, unchanged.
pub(super) async fn answer_whole(
    style: &dyn DynCallStyle,
    state: &AppState,
    call: Call,
) -> Result<HttpResponse, ErrorResponse> {
    let guard = begin(style, state, &call)?;
    let progress = call.progress.clone();
    answer(state, guard, &progress, style.dyn_whole(state, call)).await
}

/// Answers with the vendor's summary of its answer.
pub(super) async fn answer_summary(
    style: &dyn DynCallStyle,
    state: &AppState,
    call: Call,
) -> Result<HttpResponse, ErrorResponse> {
    let guard = begin(style, state, &call)?;
    let progress = call.progress.clone();
    answer(state, guard, &progress, style.dyn_summary(state, call)).await
}

async fn answer(
    state: &AppState,
    mut guard: CallGuard,
    progress: &Progress,
    made: impl Future<Output = Result<Bytes, Failure>>,
) -> Result<HttpResponse, ErrorResponse> {
    match state.until_grace_over(made).await {
        Ok(answer) => {
            guard.succeeded();
            let mut response = HttpResponse::Ok();
            add_headers(&mut response, &progress.take_rate_limits());
            Ok(response.content_type("application/json").body(answer))
        }
        Err(failure) => {
            guard.failed(&failure);
            Err(ErrorResponse::after(progress.attempts(), failure))
        }
    }
}

/// What `X-Stream-Method` says of an answer that has begun before its call: only calls that hold no thread do.
const EARLY_METHOD: &str = "async";

/// Begins a request for the model. From here on it has exactly one outcome.
fn begin(style: &dyn DynCallStyle, state: &AppState, call: &Call) -> Result<CallGuard, Failure> {
    let draining = state.draining.is_cancelled();
    // A request that is rejected here does not get to the style.
    let begin =
        if style.dyn_records_outcome() && !draining { CallGuard::begin_without_outcome } else { CallGuard::begin };
    let mut guard = begin(Arc::clone(&state.metrics.llm), call.request_id.clone());
    guard.hold(call.user_permit.clone());
    if draining {
        guard.failed(&Failure::ShuttingDown);
        return Err(Failure::ShuttingDown);
    }
    if !style.dyn_with_permit() {
        guard.call_without_permit();
    }
    Ok(guard)
}
