//! HTTP as the vendor uses it: bodies of requests, JSON answers, failures as responses.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};
use serde::Serialize;
use wire::error::RequestError;

use crate::abort::Abort;
use crate::failure::Failure;
use crate::streamed_answer::StreamedAnswer;

/// The body of an answer: complete, or token by token.
pub(crate) type AnswerBody = Either<Full<Bytes>, StreamedAnswer>;

/// A request whose body is borrowed from its connection, which drains what is not read.
pub(crate) type IncomingRequest<'a> = Request<&'a mut Incoming>;

/// How long the body of a request may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// `value` as a JSON response.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response<AnswerBody> {
    let bytes = serde_json::to_vec(value).unwrap_or_else(|error| unreachable!("a wire type is JSON: {error}"));
    let mut response = Response::new(Either::Left(bytes.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A failure as a response.
///
/// # Errors
/// The connection ends without a response.
pub(crate) fn error_response(failure: Failure) -> Result<Response<AnswerBody>, Abort> {
    let (status, headers, body) = failure.into_parts()?;
    let mut response = json(status, &body);
    response.headers_mut().extend(headers);
    Ok(response)
}

/// The body of a request, of at most `max_bytes`.
///
/// # Errors
/// [`RequestError::BodyTooLarge`], [`RequestError::BodyTimeout`], or that the client has disconnected.
pub(crate) async fn read_body(body: &mut Incoming, max_bytes: usize) -> Result<Bytes, Failure> {
    let read = tokio::time::timeout(BODY_TIMEOUT, read_bounded(body, max_bytes));
    read.await.map_err(|_| RequestError::BodyTimeout)?
}

async fn read_bounded(body: &mut Incoming, max_bytes: usize) -> Result<Bytes, Failure> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        // The client has disconnected, or does not send HTTP: no response can reach it.
        let frame = frame.map_err(|_| Abort::Close)?;
        let Ok(data) = frame.into_data() else { continue };
        if read.len() + data.len() > max_bytes {
            return Err(RequestError::BodyTooLarge { limit: max_bytes }.into());
        }
        read.extend_from_slice(&data);
    }
    Ok(read.freeze())
}
