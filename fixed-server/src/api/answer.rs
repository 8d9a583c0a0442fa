//! Answering with the vendor's stream or whole answer.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use resilience::OutcomeGuard;
use tokio::time::{Instant, timeout};
use wire::{STREAM_METHOD_HEADER, sse};

use crate::body::{EarlyBody, Format, OpenStream, StreamBody};
use crate::call::Call;
use crate::errors::{ErrorResponse, Failure, add_headers};
use crate::outcome::Outcome;
use crate::stack;
use crate::state::Shared;
use crate::upstream::Answer;

/// Answers with the vendor's stream, once its first token has arrived; or earlier, with `--early-keep-alive`.
pub(super) async fn answer_streamed(state: &Shared, call: Call, format: Format) -> Response {
    let progress = call.progress.clone();
    begin_stream(state, call, format).await.unwrap_or_else(|failure| failed_stream(failure, progress.attempts()))
}

// ANCHOR: rollout
/// The answer to a request for a stream that could not be opened. After the last attempt there is no fallback to
/// another implementation: the client gets the failure, and the header tells operators which one failed.
fn failed_stream(failure: Failure, attempts: u32) -> Response {
    // FIX rollout: failing fast. No thread waits for a vendor that has just failed.
    ([(STREAM_METHOD, "async_failure")], ErrorResponse::after(attempts, &failure)).into_response()
}
// ANCHOR_END: rollout

async fn begin_stream(state: &Shared, call: Call, format: Format) -> Result<Response, Failure> {
    let outcome = state.begin(&call)?;
    let mut opening = Box::pin(open(state.clone(), call, format, outcome));
    let Some(interval) = state.limits.early_keep_alive.interval.0 else { return opening.await.map(begun) };
    match timeout(interval, &mut opening).await {
        Ok(opened) => opened.map(begun),
        Err(_) => Ok(streamed(EarlyBody::new(opening, interval))),
    }
}

/// Opens the vendor's stream. It is dropped if the client disconnects.
async fn open(
    state: Shared,
    call: Call,
    format: Format,
    outcome: OutcomeGuard<Outcome>,
) -> Result<StreamBody, Failure> {
    let asked = Instant::now();
    match stack::open_stream(&state, &call, format).await {
        Ok(opened) => {
            let open = OpenStream::new(state.metrics.llm.clone(), call.request_id, asked.elapsed());
            Ok(StreamBody::new(opened, outcome, open, format, state.grace_over.clone()))
        }
        Err(failure) => {
            outcome.record(failure.outcome());
            Err(failure)
        }
    }
}

/// The answer of a stream whose first token has arrived, with the vendor's rate-limit headers.
fn begun(mut body: StreamBody) -> Response {
    let rate_limits = body.take_rate_limits();
    let mut response = streamed(body);
    add_headers(&mut response, rate_limits);
    response
}

fn streamed(body: impl http_body::Body<Data = Bytes, Error = Infallible> + Send + 'static) -> Response {
    (STREAM_HEADERS, Body::new(body)).into_response()
}

/// Answers with the vendor's whole answer, unchanged.
pub(super) async fn answer_whole(state: &Shared, call: Call) -> Result<Response, ErrorResponse> {
    let outcome = state.begin(&call)?;
    answered(outcome, &call, stack::call_whole(state, &call).await)
}

/// Answers with the vendor's summary of its answer.
pub(super) async fn answer_summary(state: &Shared, call: Call) -> Result<Response, ErrorResponse> {
    let outcome = state.begin(&call)?;
    answered(outcome, &call, stack::call_summary(state, &call).await)
}

/// Records how the request ended, and answers.
fn answered(
    outcome: OutcomeGuard<Outcome>,
    call: &Call,
    made: Result<Answer, Failure>,
) -> Result<Response, ErrorResponse> {
    match made {
        Ok(answer) => {
            outcome.record(Outcome::Success);
            Ok(json(answer))
        }
        Err(failure) => {
            outcome.record(failure.outcome());
            Err(ErrorResponse::after(call.progress.attempts(), &failure))
        }
    }
}

pub(super) fn json(answer: Answer) -> Response {
    let mut response = ([(CONTENT_TYPE, "application/json")], answer.body).into_response();
    add_headers(&mut response, answer.rate_limits);
    response
}

// ANCHOR: stream-headers
const STREAM_HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_TYPE, sse::CONTENT_TYPE),
    (CACHE_CONTROL, "no-cache"),
    // Without it nginx buffers the tokens.
    (HeaderName::from_static("x-accel-buffering"), "no"),
    (STREAM_METHOD, "async"),
];
// ANCHOR_END: stream-headers

const STREAM_METHOD: HeaderName = HeaderName::from_static(STREAM_METHOD_HEADER);
