//! `/live`, `/ready` and `/metrics`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use gateway::{METRICS_CONTENT_TYPE, metrics_text};
use wire::health::{Liveness, Readiness};

use crate::state::AppState;

/// `GET /live`: whether this process can answer at all. It touches nothing.
pub(super) async fn live() -> Json<Liveness> {
    Json(Liveness::alive())
}

/// `GET /ready`. It reads counters, and uses neither the pool nor the vendor. Without limits, nothing can be
/// overloaded: the server is ready until it shuts down.
pub(crate) async fn ready(state: Data<AppState>) -> HttpResponse {
    if state.draining.is_cancelled() {
        not_ready("shutting down")
    } else if state.overloaded.update(state.admission.load().queue_utilization()) {
        not_ready("overloaded")
    } else {
        HttpResponse::Ok().json(Readiness::ready())
    }
}

/// The answer of `/ready` when the server is not ready.
pub(crate) fn not_ready(reason: &str) -> HttpResponse {
    HttpResponse::ServiceUnavailable().json(Readiness::not_ready(reason))
}

/// `GET /metrics`
pub(super) async fn metrics(state: Data<AppState>) -> HttpResponse {
    state.metrics.llm.set_queued(state.admission.load().queued);
    state.database.count_connections();
    HttpResponse::Ok().content_type(METRICS_CONTENT_TYPE).body(metrics_text(&state.registry))
}
