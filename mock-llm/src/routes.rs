//! Routes requests.

use std::sync::Arc;

use http_body_util::Either;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, Method, Response, StatusCode};
use wire::authorization::bearer_key;
use wire::completion::ModelList;
use wire::error::RequestError;
use wire::{REQUEST_ID_HEADER, models};

use crate::abort::Abort;
use crate::failure::Failure;
use crate::http::{AnswerBody, IncomingRequest, error_response, json};
use crate::ledger;
use crate::vendor::Vendor;
use crate::{completions, debug, metrics};

/// Longest request id in bytes; longer ones are cut.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// Answers one request. Requests to the operator's routes are not in the ledger, which is about clients.
///
/// # Errors
/// The connection ends without a response.
pub(crate) async fn answer(vendor: &Arc<Vendor>, request: IncomingRequest<'_>) -> Result<Response<AnswerBody>, Abort> {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let answered = if is_of_client(uri.path()) {
        answer_client(vendor, request).await
    } else {
        operator_route(vendor, request).await.or_else(error_response)
    };
    match &answered {
        Ok(response) => tracing::debug!(%method, %uri, status = response.status().as_u16(), "answered"),
        Err(abort) => tracing::debug!(%method, %uri, %abort, "not answered"),
    }
    answered
}

/// Whether a path is not one of the operator's.
pub(crate) fn is_of_client(path: &str) -> bool {
    !matches!(path, "/health" | "/metrics") && !path.starts_with("/debug/")
}

async fn answer_client(vendor: &Arc<Vendor>, mut request: IncomingRequest<'_>) -> Result<Response<AnswerBody>, Abort> {
    let recorded = ledger::RequestGuard::received(&vendor.counters);
    shorten_request_id(request.headers_mut());
    let request_id = match request.headers().get(REQUEST_ID_HEADER) {
        Some(id) => Ok(id.clone()),
        None => HeaderValue::try_from(vendor.next_request_id()),
    };
    let mut response = client_route(vendor, request).await.or_else(error_response)?;
    if let Ok(id) = request_id {
        response.headers_mut().insert(REQUEST_ID_HEADER, id);
    }
    recorded.answered(response.status().as_u16());
    Ok(response)
}

/// Cut before it is stored and sent back, so that both are the same.
fn shorten_request_id(headers: &mut HeaderMap) {
    let long = headers.get(REQUEST_ID_HEADER).and_then(|id| id.as_bytes().get(..REQUEST_ID_BYTES_MAX));
    if let Some(Ok(short)) = long.map(HeaderValue::from_bytes) {
        headers.insert(REQUEST_ID_HEADER, short);
    }
}

async fn client_route(vendor: &Arc<Vendor>, request: IncomingRequest<'_>) -> Result<Response<AnswerBody>, Failure> {
    match request.uri().path() {
        "/v1/chat/completions" => {
            allow(&request, &[Method::POST], "POST")?;
            require_key(vendor, request.headers())?;
            completions::complete(vendor, request).await
        }
        "/v1/models" => {
            allow(&request, &[Method::GET], "GET")?;
            require_key(vendor, request.headers())?;
            Ok(json(StatusCode::OK, &models(vendor)))
        }
        path => {
            let name = models::name_in_path(path).ok_or_else(|| no_route(path))?;
            allow(&request, &[Method::GET], "GET")?;
            require_key(vendor, request.headers())?;
            let model = models(vendor).data.into_iter().find(|model| model.id == name);
            Ok(json(StatusCode::OK, &model.ok_or_else(|| models::unknown(&name))?))
        }
    }
}

fn models(vendor: &Vendor) -> ModelList {
    ModelList::of(vendor.settings.models.iter().map(String::as_str), "mock-llm")
}

async fn operator_route(vendor: &Arc<Vendor>, request: IncomingRequest<'_>) -> Result<Response<AnswerBody>, Failure> {
    match request.uri().path() {
        "/health" => {
            allow(&request, &[Method::GET], "GET")?;
            Ok(json(StatusCode::OK, &serde_json::json!({"status": "healthy"})))
        }
        "/metrics" => {
            allow(&request, &[Method::GET], "GET")?;
            let page = metrics::render(&vendor.counters.snapshot(0), &vendor.latencies);
            let mut response = Response::new(Either::Left(page.into()));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(metrics::CONTENT_TYPE));
            Ok(response)
        }
        "/debug/stats" => {
            allow(&request, &[Method::GET], "GET")?;
            Ok(debug::stats(vendor, request.uri().query())?)
        }
        "/debug/reset" => {
            allow(&request, &[Method::POST], "POST")?;
            Ok(debug::reset(vendor, &request)?)
        }
        "/debug/faults" => {
            allow(&request, &[Method::GET, Method::POST, Method::DELETE], "GET, POST, DELETE")?;
            debug::faults(vendor, request).await
        }
        path => Err(no_route(path).into()),
    }
}

fn allow(request: &IncomingRequest<'_>, methods: &[Method], names: &'static str) -> Result<(), RequestError> {
    if methods.contains(request.method()) {
        return Ok(());
    }
    Err(RequestError::MethodNotAllowed { method: request.method().as_str().chars().take(40).collect(), allowed: names })
}

fn no_route(path: &str) -> RequestError {
    RequestError::UnknownRoute { path: path.chars().take(80).collect() }
}

fn require_key(vendor: &Vendor, headers: &HeaderMap) -> Result<(), RequestError> {
    let Some(key) = &vendor.settings.api_key else {
        return Ok(());
    };
    let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if sent.and_then(bearer_key) == Some(key) { Ok(()) } else { Err(RequestError::InvalidApiKey) }
}
