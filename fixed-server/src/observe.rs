use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use wire::REQUEST_ID_HEADER;

use crate::errors::Failure;
use crate::request::RequestId;
use crate::state::Shared;

/// The route under which a request is counted that reached none.
const UNMATCHED: &str = "unmatched";

/// The middleware around every request: gives it an id, which every answer carries, makes a panic a
/// 500, and counts the answer by route and status.
pub(crate) async fn observe(State(state): State<Shared>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let route = request.extensions().get::<MatchedPath>().cloned();

    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|_| {
        tracing::error!(request_id = id.0, "a handler panicked");
        Failure::Internal("a handler panicked").into_response()
    });
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(HeaderName::from_static(REQUEST_ID_HEADER), value);
    }
    let route = route.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
    state.metrics.request(route, response.status().as_u16(), begun.elapsed());
    response
}
