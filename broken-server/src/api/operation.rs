//! `/ready` and `/metrics`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use prometheus_client::encoding::text::encode;
use wire::health::Readiness;

use crate::state::AppState;

/// Content type of `/metrics`.
const METRICS_CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /ready`. It reads counters, and uses neither the pool nor the vendor. Without limits, nothing can be
/// overloaded: the server is ready until it shuts down.
pub(super) async fn ready(state: Data<AppState>) -> HttpResponse {
    let not_ready = |reason| HttpResponse::ServiceUnavailable().json(Readiness::not_ready(reason));
    if state.draining.is_cancelled() {
        not_ready("shutting down")
    } else if state.overloaded.update(state.admission.load().queue_utilization()) {
        not_ready("overloaded")
    } else {
        HttpResponse::Ok().json(Readiness::ready())
    }
}

/// `GET /metrics`
pub(super) async fn metrics(state: Data<AppState>) -> HttpResponse {
    HttpResponse::Ok().content_type(METRICS_CONTENT_TYPE).body(render(&state))
}

/// The OpenMetrics text, with `state` as it is now.
fn render(state: &AppState) -> String {
    state.metrics.set_queued(state.admission.load().queued);
    let mut text = String::new();
    encode(&mut text, &state.registry).unwrap_or_else(|error| unreachable!("writing to a String never fails: {error}"));
    text
}
