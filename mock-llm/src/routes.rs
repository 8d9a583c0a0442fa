use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde::Serialize;
use wire::BODY_BYTES_MAX;
use wire::completion::ModelList;
use wire::error::Refusal;

use crate::completions;
use crate::failure::Failure;
use crate::stream::StreamedAnswer;
use crate::vendor::Vendor;

/// Most bytes of an oversized body that are read and thrown away, so that its sender, still
/// sending, lives to see the 413. Beyond that the connection is closed on it.
const DISCARDED_BYTES_MAX: usize = 16 * BODY_BYTES_MAX;

/// An answer is there whole, or comes token by token.
pub(crate) type AnswerBody = Either<Full<Bytes>, StreamedAnswer>;

/// Answers one request. What the operator's own routes answer is not in the ledger: it is about
/// the vendor's callers.
pub(crate) async fn answer(vendor: &Arc<Vendor>, request: Request<Incoming>) -> Response<AnswerBody> {
    let path = request.uri().path();
    let operators = matches!(path, "/health" | "/metrics") || path.starts_with("/debug/");
    let response = route(vendor, request).await.unwrap_or_else(Failure::into_response);
    if !operators {
        vendor.recorder.answered(response.status().as_u16());
    }
    response
}

async fn route(vendor: &Arc<Vendor>, request: Request<Incoming>) -> Result<Response<AnswerBody>, Failure> {
    let method = request.method().clone();
    let require = |allowed: Method, name: &'static str| {
        if method == allowed {
            return Ok(());
        }
        Err(Refusal::Method { method: method.to_string(), allowed: name })
    };
    match request.uri().path() {
        "/v1/chat/completions" => {
            require(Method::POST, "POST")?;
            completions::complete(vendor, request).await
        }
        "/v1/models" => {
            require(Method::GET, "GET")?;
            let names = vendor.settings.models.iter().map(String::as_str);
            Ok(json(StatusCode::OK, &ModelList::of(names, "mock-llm")))
        }
        "/health" => {
            require(Method::GET, "GET")?;
            Ok(json(StatusCode::OK, &serde_json::json!({"status": "healthy"})))
        }
        "/debug/stats" => {
            require(Method::GET, "GET")?;
            Ok(json(StatusCode::OK, &vendor.recorder.snapshot()))
        }
        "/debug/reset" => {
            require(Method::POST, "POST")?;
            vendor.reset();
            Ok(json(StatusCode::OK, &vendor.recorder.snapshot()))
        }
        path => Err(Refusal::NoRoute { path: path.chars().take(80).collect() }.into()),
    }
}

/// `value` as a JSON answer.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response<AnswerBody> {
    let bytes = serde_json::to_vec(value).unwrap_or_else(|error| unreachable!("a wire type is valid JSON: {error}"));
    let mut response = Response::new(Either::Left(Full::new(bytes.into())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// # Errors
/// [`Refusal::TooLarge`], or that the client stopped sending.
pub(crate) async fn read_body(mut body: Incoming) -> Result<Bytes, Failure> {
    let mut read = BytesMut::new();
    let mut total = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
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
