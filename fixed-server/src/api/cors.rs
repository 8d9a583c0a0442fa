//! CORS: lets pages of other origins call the server.

use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, Method};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer, ExposeHeaders};
use wire::{REQUEST_ID_HEADER, STREAM_METHOD_HEADER};

use crate::settings::Origin;

/// How long a browser may remember the answer.
const MAX_AGE: Duration = Duration::from_secs(10 * 60);

/// Lets pages of these `origins` call the server, and no others. Keys are sent in a header and not in cookies, so there
/// are no credentials to allow.
pub(super) fn layer(origins: &[Origin]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let allowed = if origins.iter().any(Origin::is_any) {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().map(|origin| origin.0.clone()))
    };
    let exposed =
        [HeaderName::from_static(REQUEST_ID_HEADER), HeaderName::from_static(STREAM_METHOD_HEADER), RETRY_AFTER];
    let layer = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(ExposeHeaders::list(exposed))
        .max_age(MAX_AGE);
    Some(layer)
}
