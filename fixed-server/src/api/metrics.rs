//! `GET /metrics`

use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;

use crate::state::Shared;
use crate::telemetry;

pub(super) async fn handle(State(state): State<Shared>) -> ([(HeaderName, &'static str); 1], String) {
    ([(CONTENT_TYPE, telemetry::CONTENT_TYPE)], state.metrics.render(&state))
}
