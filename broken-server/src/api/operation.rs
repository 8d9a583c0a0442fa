//! `/ready` and `/metrics`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use wire::health::Readiness;

use crate::metrics;
use crate::state::AppState;

/// `GET /ready`. It reads counters and asks no pool and no vendor. A mistake without limits has none that
/// could be reached: it is ready until it is told to stop.
pub(super) async fn ready(state: Data<AppState>) -> HttpResponse {
    let not_ready = |reason| HttpResponse::ServiceUnavailable().json(Readiness::not_ready(reason));
    if state.draining.is_cancelled() {
        not_ready("shutting down")
    } else if state.overloaded.update(state.admission.load().queue_use()) {
        not_ready("overloaded")
    } else {
        HttpResponse::Ok().json(Readiness::ready())
    }
}

/// `GET /metrics`
pub(super) async fn metrics(state: Data<AppState>) -> HttpResponse {
    HttpResponse::Ok().content_type(metrics::CONTENT_TYPE).body(metrics::render(&state))
}
