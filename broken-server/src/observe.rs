//! The middleware around every request: request id, metrics, panics.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Version};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpResponse};
use futures_util::FutureExt;
use wire::REQUEST_ID_HEADER;

use crate::errors::{ErrorResponse, Failure};
use crate::request::RequestId;
use crate::state::AppState;

/// The route label of requests that match no route.
const UNMATCHED: &str = "unmatched";

/// The middleware around every request: sets the request id on every answer, turns a panic into a 500, and counts the
/// answer by route and status.
pub(crate) async fn observe(
    state: Data<AppState>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let begun = Instant::now();
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());

    let answered = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    let answered =
        answered.unwrap_or_else(|_| Err(ErrorResponse::from(Failure::Internal("a handler panicked")).into()));
    match answered {
        Ok(response) => {
            let mut response = response.map_into_boxed_body();
            set_id(response.response_mut(), &id);
            end_with_connection(&mut response);
            let route = response.request().match_pattern().unwrap_or_else(|| UNMATCHED.into());
            state.metrics.http.request(route, response.status().as_u16(), begun.elapsed());
            Ok(response)
        }
        Err(error) => {
            tracing::error!(request_id = id.0, %error, "a request failed, and this server is at fault");
            let mut response = error.error_response();
            set_id(&mut response, &id);
            state.metrics.http.request(UNMATCHED.into(), response.status().as_u16(), begun.elapsed());
            Err(InternalError::from_response(error, response).into())
        }
    }
}

/// In HTTP/1.0 an answer of unknown length ends with its connection. actix would send it in chunks, which HTTP/1.0 does
/// not have.
fn end_with_connection(response: &mut ServiceResponse<BoxBody>) {
    if response.request().version() <= Version::HTTP_10 && response.response().body().size() == BodySize::Stream {
        let head = response.response_mut().head_mut();
        head.no_chunking(true);
        head.set_connection_type(ConnectionType::Close);
    }
}

fn set_id(response: &mut HttpResponse, id: &RequestId) {
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(HeaderName::from_static(REQUEST_ID_HEADER), value);
    }
}
