use actix_web::HttpResponse;
use actix_web::web::Data;
use wire::health::Readiness;

use crate::metrics;
use crate::state::AppState;

/// `GET /ready`. It reads one flag and asks no pool and no vendor: this server has no limit that
/// could be reached, so it is ready until it is told to stop.
pub(super) async fn ready(state: Data<AppState>) -> HttpResponse {
    if state.draining.is_cancelled() {
        HttpResponse::ServiceUnavailable().json(Readiness::not_ready("shutting down"))
    } else {
        HttpResponse::Ok().json(Readiness::ready())
    }
}

/// `GET /metrics`
pub(super) async fn metrics(state: Data<AppState>) -> HttpResponse {
    HttpResponse::Ok().content_type(metrics::CONTENT_TYPE).body(metrics::render(&state.registry))
}
