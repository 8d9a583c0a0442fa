use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage};
use futures_util::FutureExt;
use wire::REQUEST_ID_HEADER;

use crate::errors::Failure;
use crate::request::RequestId;
use crate::state::AppState;

/// The middleware around every request: gives it an id, which every answer carries, makes a panic a
/// 500, and counts the answer by route and status.
pub(crate) async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let begun = Instant::now();
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let http_request = request.request().clone();

    let answered = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    let mut response = match answered {
        Ok(Ok(response)) => response.map_into_boxed_body(),
        Ok(Err(error)) => ServiceResponse::from_err(error, http_request),
        Err(_) => ServiceResponse::from_err(Failure::Internal("a handler panicked"), http_request),
    };

    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(HeaderName::from_static(REQUEST_ID_HEADER), value);
    }
    if let Some(state) = response.request().app_data::<Data<AppState>>() {
        let route = response.request().match_pattern().unwrap_or_else(|| "unmatched".into());
        state.metrics.request(route, response.status().as_u16(), begun.elapsed());
    }
    Ok(response)
}
