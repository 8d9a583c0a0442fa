//! Who may use the playground: this machine's user, and no web page from elsewhere.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::body::Body as _;
use wire::error::RequestError;
use wire::operator;

use super::error::PlaygroundError;

/// What every answer says to the browser: load nothing from elsewhere, run nothing that stands in the page itself, guess
/// no types, keep nothing, and be part of no other page.
const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (
        HeaderName::from_static("content-security-policy"),
        HeaderValue::from_static(
            "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
        ),
    ),
    (HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff")),
    (HeaderName::from_static("cache-control"), HeaderValue::from_static("no-store")),
    (HeaderName::from_static("referrer-policy"), HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
];

/// Checks each request before its route is looked for, and adds the headers to each answer.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    let mut response = match check(&request) {
        Ok(()) => next.run(request).await,
        Err(error) => PlaygroundError::from(error).into_response(),
    };
    response.headers_mut().extend(HEADERS);
    response
}

fn check(request: &Request) -> Result<(), RequestError> {
    let header = |name: &str| request.headers().get(name).map(HeaderValue::as_bytes);
    match *request.method() {
        Method::GET | Method::HEAD => operator::check_read(header),
        _ => operator::check(header, !request.body().is_end_stream()),
    }
}
