//! `GET /ready`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use wire::health::Readiness;

use crate::state::Shared;

/// `GET /ready`: whether this server should get more requests. It reads counters and waits for nothing. By default it
/// does not depend on the vendor, which all replicas share: one bad minute of the vendor would take all of them out.
// ANCHOR: readiness-cascade
pub(super) async fn handle(State(state): State<Shared>) -> (StatusCode, Json<Readiness>) {
    let not_ready = |reason| (StatusCode::SERVICE_UNAVAILABLE, Json(Readiness::not_ready(reason)));
    if state.draining.is_cancelled() {
        not_ready("shutting down")
    } else if state.overloaded.update(state.admission.load().queue_utilization()) {
        not_ready("overloaded")
    // FIX readiness-cascade: off unless asked for. Whether the vendor fails is decided for each call.
    } else if state.failing.as_ref().is_some_and(|failing| failing.update(state.errors.share())) {
        not_ready("error rate")
    } else {
        (StatusCode::OK, Json(Readiness::ready()))
    }
}
// ANCHOR_END: readiness-cascade
