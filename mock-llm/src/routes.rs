use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use serde::Serialize;
use wire::authorization::bearer_key;
use wire::completion::ModelList;
use wire::error::Refusal;
use wire::{BODY_BYTES_MAX, REQUEST_ID_HEADER};

use crate::connection::Hangup;
use crate::failure::Failure;
use crate::recorder;
use crate::stream::StreamedAnswer;
use crate::vendor::Vendor;
use crate::{completions, debug, metrics};

/// An answer is there whole, or comes token by token.
pub(crate) type AnswerBody = Either<Full<Bytes>, StreamedAnswer>;

/// Most bytes of an oversized body that are read and thrown away, so that its sender, still
/// sending, lives to see the 413. Beyond that the connection is closed on it.
const DISCARDED_BYTES_MAX: usize = 16 * BODY_BYTES_MAX;

/// As much of a request's id is taken, in bytes, and the rest is cut off.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// How long the body of a request may take to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Answers one request. What the operator's own routes answer is not in the ledger: it is about
/// the vendor's callers.
///
/// # Errors
/// The request gets no response.
pub(crate) async fn answer(vendor: &Arc<Vendor>, request: Request<Incoming>) -> Result<Response<AnswerBody>, Hangup> {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let answered = if matches!(uri.path(), "/health" | "/metrics") || uri.path().starts_with("/debug/") {
        operators_route(vendor, request).await.or_else(Failure::into_response)
    } else {
        answer_caller(vendor, request).await
    };
    match &answered {
        Ok(response) => tracing::debug!(%method, %uri, status = response.status().as_u16(), "answered"),
        Err(hangup) => tracing::debug!(%method, %uri, %hangup, "not answered"),
    }
    answered
}

async fn answer_caller(vendor: &Arc<Vendor>, mut request: Request<Incoming>) -> Result<Response<AnswerBody>, Hangup> {
    let recorded = recorder::Request::received(&vendor.recorder);
    shorten_request_id(request.headers_mut());
    let request_id = match request.headers().get(REQUEST_ID_HEADER) {
        Some(id) => Ok(id.clone()),
        None => HeaderValue::try_from(vendor.next_request_id()),
    };
    let mut response = callers_route(vendor, request).await.or_else(Failure::into_response)?;
    if let Ok(id) = request_id {
        response.headers_mut().insert(REQUEST_ID_HEADER, id);
    }
    recorded.answered(response.status().as_u16());
    Ok(response)
}

/// Ids are remembered and answered: cut here, they are the same in both.
fn shorten_request_id(headers: &mut HeaderMap) {
    let long = headers.get(REQUEST_ID_HEADER).and_then(|id| id.as_bytes().get(..REQUEST_ID_BYTES_MAX));
    if let Some(Ok(short)) = long.map(HeaderValue::from_bytes) {
        headers.insert(REQUEST_ID_HEADER, short);
    }
}

async fn callers_route(vendor: &Arc<Vendor>, request: Request<Incoming>) -> Result<Response<AnswerBody>, Failure> {
    match request.uri().path() {
        "/v1/chat/completions" => {
            allow(&request, &[Method::POST], "POST")?;
            require_key(vendor, request.headers())?;
            completions::complete(vendor, request).await
        }
        "/v1/models" => {
            allow(&request, &[Method::GET], "GET")?;
            require_key(vendor, request.headers())?;
            let names = vendor.settings.models.iter().map(String::as_str);
            Ok(json(StatusCode::OK, &ModelList::of(names, "mock-llm")))
        }
        path => Err(no_route(path).into()),
    }
}

async fn operators_route(vendor: &Arc<Vendor>, request: Request<Incoming>) -> Result<Response<AnswerBody>, Failure> {
    match request.uri().path() {
        "/health" => {
            allow(&request, &[Method::GET], "GET")?;
            Ok(json(StatusCode::OK, &serde_json::json!({"status": "healthy"})))
        }
        "/metrics" => {
            allow(&request, &[Method::GET], "GET")?;
            let page = metrics::render(&vendor.recorder.snapshot(0), &vendor.latencies);
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

fn allow(request: &Request<Incoming>, methods: &[Method], names: &'static str) -> Result<(), Refusal> {
    if methods.contains(request.method()) {
        return Ok(());
    }
    Err(Refusal::Method { method: request.method().as_str().chars().take(40).collect(), allowed: names })
}

fn no_route(path: &str) -> Refusal {
    Refusal::NoRoute { path: path.chars().take(80).collect() }
}

fn require_key(vendor: &Vendor, headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(key) = &vendor.settings.api_key else {
        return Ok(());
    };
    let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if sent.and_then(bearer_key) == Some(key) { Ok(()) } else { Err(Refusal::ApiKey) }
}

/// `value` as a JSON answer.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response<AnswerBody> {
    let bytes = serde_json::to_vec(value).unwrap_or_else(|error| unreachable!("a wire type is JSON: {error}"));
    let mut response = Response::new(Either::Left(bytes.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// # Errors
/// [`Refusal::TooLarge`], [`Failure::BodyTimeout`], or that the client has left.
pub(crate) async fn read_body(body: Incoming) -> Result<Bytes, Failure> {
    let read = tokio::time::timeout(BODY_TIMEOUT, read_bounded(body));
    read.await.map_err(|_| Failure::BodyTimeout(BODY_TIMEOUT))?
}

async fn read_bounded(mut body: Incoming) -> Result<Bytes, Failure> {
    let mut read = BytesMut::new();
    let mut total = 0;
    while let Some(frame) = body.frame().await {
        // The client has left, or what it sends is no HTTP: there is nobody to tell.
        let frame = frame.map_err(|_| Hangup::Close)?;
        let Ok(data) = frame.into_data() else { continue };
        total += data.len();
        if total <= BODY_BYTES_MAX {
            read.extend_from_slice(&data);
        } else if total > DISCARDED_BYTES_MAX {
            break;
        }
    }
    if total > BODY_BYTES_MAX {
        return Err(Refusal::TooLarge { limit: BODY_BYTES_MAX }.into());
    }
    Ok(read.freeze())
}
