//! Mistake `buffered-stream`.
//!
//! What is wrong: a layer around all handlers works on the body of an answer and holds it back. It compresses it, and a
//! compressor passes on what fills a block; or it writes a log of answers, for which it collects the whole body
//! (`--layer log`). For a JSON answer either is right. A stream arrives at its end, in one burst.
//! Symptom: users wait for seconds and then see the whole answer at once. `curl` streams well, because it does not ask for
//! gzip. So do this server's own metrics: `llm_time_to_first_token_seconds` is measured inside the layer.
//! Fix: fixed-server/src/observe.rs, where the layer looks at the head of an answer and leaves its body alone.
//! Source: none of them. It is reported of nearly every framework: Kludex/starlette#2753, tower-rs/tower-http#420,
//! actix/actix-web#3410, evoila/meho#1389.
//! What is right: without `Accept-Encoding: gzip` nothing is compressed, and nothing is lost or changed.

use std::io::Write;
use std::mem;
use std::sync::Arc;
use std::task::{Poll, ready};

use actix_web::body::{BodyStream, BoxBody, MessageBody, to_bytes};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::ErrorInternalServerError;
use actix_web::http::header::{AcceptEncoding, CONTENT_ENCODING, Encoding, HeaderValue, VARY};
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, HttpMessage, web};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream::{Stream, poll_fn};

use crate::api::{self, Routes};
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Control;
use crate::settings::Layer;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "buffered-stream",
    group: Group::Calls,
    symptom: "to clients that accept gzip, streams arrive at their end, in one burst; its own metrics look fine",
    limits: true,
    own_flags: &["layer"],
    routes: |settings| Ok(within(settings.own.layer, api::routes(Control))),
    ..Mistake::USUAL
};

/// The routes, within the layer.
fn within(layer: Layer, routes: Routes) -> Routes {
    Arc::new(move |config| {
        let scope = web::scope("").configure(|config| routes(config));
        match layer {
            Layer::Gzip => config.service(scope.wrap(from_fn(compress))),
            Layer::Log => config.service(scope.wrap(from_fn(log_answer))),
        };
    })
}

/// Compresses answers for clients that accept it.
async fn compress(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let offered = [Encoding::identity(), Encoding::gzip()];
    let chosen = request.get_header::<AcceptEncoding>().and_then(|accepted| accepted.negotiate(offered.iter()));
    let response = next.call(request).await?;
    if chosen != Some(Encoding::gzip()) {
        return Ok(response.map_into_boxed_body());
    }
    Ok(response.map_body(|head, body| {
        head.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        head.headers_mut().append(VARY, HeaderValue::from_static("accept-encoding"));
        BoxBody::new(BodyStream::new(compressed(body)))
    }))
}

// ANCHOR: buffered-stream
fn compressed(body: impl MessageBody + 'static) -> impl Stream<Item = Result<Bytes, Error>> {
    let mut body = Box::pin(body);
    let mut gzip = Some(GzEncoder::new(Vec::new(), Compression::fast()));
    poll_fn(move |cx| {
        while let Some(encoder) = &mut gzip {
            let compressed = match ready!(body.as_mut().poll_next(cx)) {
                // MISTAKE buffered-stream: what does not fill a block stays in the encoder: some 20,000 tokens.
                Some(Ok(piece)) => encoder.write_all(&piece).map(|()| mem::take(encoder.get_mut())),
                Some(Err(error)) => return Poll::Ready(Some(Err(ErrorInternalServerError(error.into())))),
                None => gzip.take().map_or(Ok(Vec::new()), GzEncoder::finish),
            };
            match compressed {
                Ok(nothing) if nothing.is_empty() => {}
                compressed => return Poll::Ready(Some(compressed.map(Bytes::from).map_err(Error::from))),
            }
        }
        Poll::Ready(None)
    })
}

/// Writes a log of answers.
async fn log_answer(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (request, response) = next.call(request).await?.into_parts();
    let (head, body) = response.into_parts();
    // Here the mistake is to need the whole body before the client gets any of it.
    let body = to_bytes(body).await.map_err(|error| ErrorInternalServerError(error.into()))?;
    tracing::debug!(status = head.status().as_u16(), answer = %String::from_utf8_lossy(&body), "answered");
    Ok(ServiceResponse::new(request, head.set_body(body).map_into_boxed_body()))
}
// ANCHOR_END: buffered-stream
