//! `GET /metrics`

use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use gateway::{METRICS_CONTENT_TYPE, Users};
use tokio::runtime::Handle;

use crate::state::{AppState, Shared};
use crate::telemetry::Gauges;

pub(super) async fn handle(State(state): State<Shared>) -> ([(HeaderName, &'static str); 1], String) {
    state.metrics.llm.set_queued(state.admission.load().queued);
    state.sessions.count_connections();
    ([(CONTENT_TYPE, METRICS_CONTENT_TYPE)], state.metrics.text(&gauges(&state)))
}

/// What is read only now.
fn gauges(state: &AppState) -> Gauges {
    Gauges {
        users: state.users.as_ref().map_or(0, Users::count),
        body_bytes: state.body_memory.reserved(),
        breaker: state.breaker.as_ref().map(|breaker| breaker.report().state),
        tasks: Handle::current().metrics().num_alive_tasks(),
    }
}
