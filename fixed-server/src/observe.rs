//! The middleware around every request: its id, its count, its panics.

use std::panic::AssertUnwindSafe;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use wire::REQUEST_ID_HEADER;

use crate::errors::{ErrorResponse, Failure};
use crate::request::RequestId;
use crate::state::Shared;
use crate::telemetry::Unanswered;

/// The route under which a request is counted that reached none.
const UNMATCHED: &str = "unmatched";

/// The middleware around every request: gives it an id, which every answer carries, makes a panic a
/// 500, and counts the answer by route and status.
pub(crate) async fn observe(State(state): State<Shared>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let route = request.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str).to_owned();
    let unanswered = Unanswered::new(state.metrics.clone(), route);

    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|_| {
        tracing::error!(request_id = id.0, "a handler panicked");
        ErrorResponse::from(Failure::Internal("a handler panicked")).into_response()
    });
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(HeaderName::from_static(REQUEST_ID_HEADER), value);
    }
    unanswered.answered(response.status().as_u16());
    response
}
