//! Drains the body of a request that was answered before it was read.

use std::time::Duration;

use http_body_util::{BodyExt as _, Either};
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::{Response, Version};

use crate::http::AnswerBody;

/// Most bytes drained, so that a client that is still sending gets the answer. With more, the connection is closed
/// while it sends.
const DRAINED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How long draining may take.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// Drains what is left of a request body, and sets `Connection: close` where needed: after a body that was not
/// read completely, and in HTTP/1.0 after an answer of unknown length. A client `expects_continue` if it sends its
/// body only when asked to.
pub(crate) async fn drain_rest(
    version: Version,
    expects_continue: bool,
    body: &mut Incoming,
    response: &mut Response<AnswerBody>,
) {
    let unread = !body.is_end_stream();
    // A client that waits for `100 Continue` is not asked to send a body that nobody reads.
    if unread && !expects_continue {
        // What has not arrived by then is not read.
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, drain(body)).await;
    }
    let open_ended = version == Version::HTTP_10 && matches!(response.body(), Either::Right(_));
    if unread || open_ended {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        // With the server's own version, hyper would add `keep-alive` for an HTTP/1.0 client.
        *response.version_mut() = version;
    }
}

async fn drain(body: &mut Incoming) {
    let mut drained = 0;
    while let Some(Ok(frame)) = body.frame().await
        && drained <= DRAINED_BYTES_MAX
    {
        drained += frame.data_ref().map_or(0, bytes::Bytes::len);
    }
}
