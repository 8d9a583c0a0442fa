//! The routes, one file an endpoint.

mod chat_stream;
mod completions;
/// Pages of other origins.
mod cors;
mod health;
/// `POST /debug/hold-threads`, for labs
mod hold_threads;
mod llm;
mod look_ups;
mod metrics;
mod models;
mod ready;

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, Method};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use bytes::Bytes;
use gateway::shorten;
use resilience::OutcomeGuard;
use tokio::time::{Instant, timeout};
use wire::error::RequestError;
use wire::{STREAM_METHOD_HEADER, sse};

use crate::body::{EarlyBody, Format, StreamBody};
use crate::call::Call;
use crate::chat::DEFAULT_MODEL;
use crate::errors::{ErrorResponse, Failure, add_headers};
use crate::observe::observe;
use crate::outcome::Outcome;
use crate::sessions::KeyId;
use crate::stack;
use crate::state::Shared;
use crate::telemetry::OpenStream;
use crate::upstream::Answer;

pub(crate) use look_ups::LookUps;

/// All routes.
pub(crate) fn router(state: Shared) -> Router {
    let routes = if state.allow_mock_headers {
        Router::new().route("/debug/hold-threads", only_post(hold_threads::handle))
    } else {
        Router::new()
    };
    let routes = routes
        .route("/chat/stream", only_post(chat_stream::handle))
        .route("/llm", only_post(llm::handle))
        .route("/v1/chat/completions", only_post(completions::handle))
        .route("/api/v1/chat/completions", only_post(completions::handle))
        .route("/v1/models", only_get(models::list))
        .route("/v1/models/{*model}", only_get(models::one))
        .route("/debug/health-sync", only_get(health::sync))
        .route("/debug/health-async", only_get(health::r#async))
        .route("/debug/resolve", only_get(look_ups::resolve))
        .route("/debug/read-file", only_get(look_ups::read_file))
        .route("/health", only_get(health::report))
        .route("/ready", only_get(ready::handle))
        .route("/metrics", only_get(metrics::handle))
        .fallback(no_route);
    let routes = match cors::layer(&state.cors_origins) {
        Some(cors) => routes.layer(cors),
        None => routes,
    };
    routes.layer(from_fn_with_state(state.clone(), observe)).with_state(state)
}

fn only_post<T: 'static>(handler: impl Handler<T, Shared>) -> MethodRouter<Shared> {
    post(handler).fallback(not_post)
}

/// HEAD is answered as GET is, without the body.
fn only_get<T: 'static>(handler: impl Handler<T, Shared>) -> MethodRouter<Shared> {
    get(handler).fallback(not_get)
}

async fn not_post(method: Method) -> ErrorResponse {
    wrong_method(&method, "POST")
}

async fn not_get(method: Method) -> ErrorResponse {
    wrong_method(&method, "GET, HEAD")
}

fn wrong_method(method: &Method, allowed: &'static str) -> ErrorResponse {
    RequestError::MethodNotAllowed { method: shorten(method.as_str()), allowed }.into()
}

async fn no_route(request: Request) -> ErrorResponse {
    RequestError::UnknownRoute { path: shorten(request.uri().path()) }.into()
}

/// Makes `call` one of a session, if the request names one. It is written down once the call has its turn.
fn name_session(state: &Shared, session_id: Option<&str>, key: Option<&KeyId>, model: Option<&str>, call: &mut Call) {
    let model = shorten(model.unwrap_or(DEFAULT_MODEL));
    call.session = session_id.map(|name| state.sessions.call(name, key, &call.request_id, &model));
}

/// Answers with the vendor's stream, once its first token is there; or earlier, where that is wanted.
async fn answer_streamed(state: &Shared, call: Call, format: Format) -> Response {
    let progress = call.progress.clone();
    begin_stream(state, call, format).await.unwrap_or_else(|failure| failed_stream(failure, progress.attempts()))
}

// ANCHOR: rollout
/// The answer to a request for a stream that could not be begun. When its attempts are used up there is no
/// second way behind them: the failure is told, and the header tells operators on which way it happened.
fn failed_stream(failure: Failure, attempts: u32) -> Response {
    // FIX rollout: failing fast. No thread waits for a vendor that has just failed.
    ([(STREAM_METHOD, "async_failure")], ErrorResponse::after(attempts, &failure)).into_response()
}
// ANCHOR_END: rollout

async fn begin_stream(state: &Shared, call: Call, format: Format) -> Result<Response, Failure> {
    let outcome = state.begin(&call)?;
    let mut opening = Box::pin(open(state.clone(), call, format, outcome));
    let Some(patience) = state.limits.early_keep_alive.0 else { return opening.await.map(begun) };
    match timeout(patience, &mut opening).await {
        Ok(opened) => opened.map(begun),
        Err(_) => Ok(streamed(EarlyBody::new(opening, patience))),
    }
}

/// Opens the vendor's stream. Dropped, its client has left.
async fn open(
    state: Shared,
    call: Call,
    format: Format,
    outcome: OutcomeGuard<Outcome>,
) -> Result<StreamBody, Failure> {
    let asked = Instant::now();
    match stack::open_stream(&state, &call, format).await {
        Ok(opened) => {
            let open = OpenStream::new(state.metrics.clone(), call.request_id, asked.elapsed());
            Ok(StreamBody::new(opened, outcome, open, format, state.cut.clone()))
        }
        Err(failure) => {
            outcome.record(failure.outcome());
            Err(failure)
        }
    }
}

/// The answer of a stream whose first token is there, with what the vendor says of its quota.
fn begun(mut body: StreamBody) -> Response {
    let rate_limits = body.take_rate_limits();
    let mut response = streamed(body);
    add_headers(&mut response, rate_limits);
    response
}

fn streamed(body: impl http_body::Body<Data = Bytes, Error = Infallible> + Send + 'static) -> Response {
    (STREAM_HEADERS, Body::new(body)).into_response()
}

/// Answers with the vendor's whole answer, as it came.
async fn answer_whole(state: &Shared, call: Call) -> Result<Response, ErrorResponse> {
    let outcome = state.begin(&call)?;
    match stack::call_whole(state, &call).await {
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

fn json(answer: Answer) -> Response {
    let mut response = ([(CONTENT_TYPE, "application/json")], answer.body).into_response();
    add_headers(&mut response, answer.rate_limits);
    response
}

const STREAM_HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_TYPE, sse::CONTENT_TYPE),
    (CACHE_CONTROL, "no-cache"),
    // nginx would gather the tokens of a while otherwise.
    (HeaderName::from_static("x-accel-buffering"), "no"),
    (STREAM_METHOD, "async"),
];

const STREAM_METHOD: HeaderName = HeaderName::from_static(STREAM_METHOD_HEADER);
