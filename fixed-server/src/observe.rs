//! The middleware around every request: its id, its count, its panics.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use gateway::HttpMetrics;
use wire::REQUEST_ID_HEADER;

use crate::errors::{ErrorResponse, Failure};
use crate::identity::RequestId;
use crate::state::Shared;

/// The route under which requests without a route are counted.
const UNMATCHED: &str = "unmatched";

/// The middleware around every request. It gives the request an id, which every answer has, turns a panic into a 500,
/// and counts the answer by route and status.
pub(crate) async fn observe(State(state): State<Shared>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let route = request.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str).to_owned();
    let pending = PendingRequest::new(state.metrics.http.clone(), route);

    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|_| {
        tracing::error!(request_id = id.0, "a handler panicked");
        ErrorResponse::from(Failure::Internal("a handler panicked")).into_response()
    });
    // ANCHOR: buffered-stream
    // FIX buffered-stream: this layer is around all handlers, and it looks at nothing but the head of an answer. The body
    // goes to the connection as its handler made it: piece by piece, if it is a stream.
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(HeaderName::from_static(REQUEST_ID_HEADER), value);
    }
    pending.answered(response.status().as_u16());
    response
    // ANCHOR_END: buffered-stream
}

/// An HTTP request that has not been answered yet. If it is dropped, its client has disconnected: it is counted
/// under status 499, as nginx does.
#[derive(Debug)]
struct PendingRequest {
    metrics: HttpMetrics,
    route: String,
    begun: Instant,
    status: u16,
}

impl PendingRequest {
    /// A request that begins now; `route` is a pattern, never a path.
    fn new(metrics: HttpMetrics, route: String) -> Self {
        PendingRequest { metrics, route, begun: Instant::now(), status: 499 }
    }

    /// The head of its answer is about to be sent.
    fn answered(mut self, status: u16) {
        self.status = status;
    }
}

impl Drop for PendingRequest {
    fn drop(&mut self) {
        let route = std::mem::take(&mut self.route);
        self.metrics.request(route, self.status, self.begun.elapsed());
    }
}
