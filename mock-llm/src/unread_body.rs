//! A request that was answered before its body was read.

use std::time::Duration;

use http_body_util::{BodyExt as _, Either};
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::{Response, Version};

use crate::http::AnswerBody;

/// Most bytes that are read and thrown away, so that their sender, still sending, lives to see the answer. Beyond
/// that the connection is closed on it.
const DISCARDED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How long that may take.
const DISCARD_TIME: Duration = Duration::from_secs(2);

/// Reads and drops what is left of a request, and says in its answer whether the connection ends with it: a body
/// that was not read is in the way of the next request, and an answer whose length nobody knows ends, in HTTP/1.0,
/// with its connection. A client `asks_first` that sends its body only when it is asked to.
pub(crate) async fn finish(
    version: Version,
    asks_first: bool,
    body: &mut Incoming,
    response: &mut Response<AnswerBody>,
) {
    let unread = !body.is_end_stream();
    // Who asks before sending is not asked to send what nobody wants.
    if unread && !asks_first {
        // What is left after that time is not waited for.
        let _ = tokio::time::timeout(DISCARD_TIME, discard(body)).await;
    }
    let open_ended = version == Version::HTTP_10 && matches!(response.body(), Either::Right(_));
    if unread || open_ended {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        // hyper would add `keep-alive` to what is for an older client and says that it is newer.
        *response.version_mut() = version;
    }
}

async fn discard(body: &mut Incoming) {
    let mut discarded = 0;
    while let Some(Ok(frame)) = body.frame().await
        && discarded <= DISCARDED_BYTES_MAX
    {
        discarded += frame.data_ref().map_or(0, bytes::Bytes::len);
    }
}
