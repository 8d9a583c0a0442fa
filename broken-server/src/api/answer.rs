//! The answer to a request for the model, streamed or whole.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use wire::{STREAM_METHOD_HEADER, sse};

use crate::call::Call;
use crate::call_guard::CallGuard;
use crate::call_style::DynCallStyle;
use crate::errors::{ErrorResponse, Failure, add_headers};
use crate::relay::Relay;
use crate::state::AppState;

/// Answers with the vendor's stream, once its first token is there.
pub(super) async fn answer_streamed(
    style: &dyn DynCallStyle,
    state: &AppState,
    call: Call,
) -> Result<HttpResponse, ErrorResponse> {
    let format = call.format;
    let mut guard = begin(style, state, &call)?;
    let progress = call.progress.clone();
    let opening = async {
        let messages = style.dyn_stream(state, call).await?;
        Relay::open(messages, format, &mut guard).await
    };
    match state.until_grace_over(opening).await {
        Ok(relay) => {
            let mut response = HttpResponse::Ok();
            add_headers(&mut response, &progress.take_rate_limits());
            Ok(response
                .content_type(sse::CONTENT_TYPE)
                .insert_header((CACHE_CONTROL, "no-cache"))
                // Otherwise nginx would buffer the tokens.
                .insert_header(("x-accel-buffering", "no"))
                .insert_header((STREAM_METHOD_HEADER, relay.method()))
                .streaming(relay.into_body(guard, state.grace_over.clone())))
        }
        Err(failure) => {
            guard.failed(&failure);
            Err(ErrorResponse::after(progress.attempts(), failure))
        }
    }
}

/// Answers with the vendor's whole answer, unchanged.
pub(super) async fn answer_whole(
    style: &dyn DynCallStyle,
    state: &AppState,
    call: Call,
) -> Result<HttpResponse, ErrorResponse> {
    let mut guard = begin(style, state, &call)?;
    let progress = call.progress.clone();
    match state.until_grace_over(style.dyn_whole(state, call)).await {
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
