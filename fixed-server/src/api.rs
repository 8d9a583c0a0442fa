//! The routes, one file an endpoint.

mod answer;
mod chat_stream;
mod completions;
mod cors;
mod health;
mod hold_threads;
mod live;
mod llm;
mod look_ups;
mod metrics;
mod models;
mod ready;
mod summary;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use gateway::shorten;
use wire::error::RequestError;

use crate::errors::ErrorResponse;
use crate::observe::observe;
use crate::state::Shared;

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
        .route("/llm/summary", only_post(summary::handle))
        .route("/v1/chat/completions", only_post(completions::handle))
        .route("/api/v1/chat/completions", only_post(completions::handle))
        .route("/v1/models", only_get(models::list))
        .route("/v1/models/{*model}", only_get(models::one))
        .route("/debug/health-sync", only_get(health::sync))
        .route("/debug/health-async", only_get(health::r#async))
        .route("/debug/resolve", only_get(look_ups::resolve))
        .route("/debug/read-file", only_get(look_ups::read_file))
        .route("/health", only_get(health::report))
        .route("/live", only_get(live::handle))
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
