//! The vendor's clients, blocking and asynchronous.

pub(crate) mod asynchronous;
pub(crate) mod blocking;
pub(crate) mod blocking_reqwest;

mod event_decoder;
mod read_limit;

use bytes::Bytes;
use gateway::Route;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use wire::response::parse_response;
use wire::stream::CompletionEvent;
use wire::upstream_rejection::UpstreamRejection;

use crate::errors::{Failure, UpstreamFailure};

/// Largest whole answer of the vendor, in bytes (8 MiB): a million tokens of text.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Sent as `User-Agent`.
const USER_AGENT: &str = concat!("broken-server/", env!("CARGO_PKG_VERSION"));

/// A part of the vendor's stream: its bytes, to pass on, and what they mean.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    /// One event with the comments before it, or comments and blank lines alone.
    pub(crate) raw: Bytes,
    /// The event, if it has one.
    pub(crate) event: Option<CompletionEvent>,
}

impl Message {
    /// Whether it is `[DONE]`.
    pub(crate) fn is_done(&self) -> bool {
        self.event == Some(CompletionEvent::Done)
    }

    /// Its text, if it has some; never empty.
    pub(crate) fn text(&self) -> Option<&str> {
        self.event.as_ref().and_then(CompletionEvent::text)
    }
}

/// The failure of an answer whose status is not 2xx.
fn failure_of(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Failure {
    let rejection = Box::new(UpstreamRejection::read(status, headers, body));
    match () {
        () if rejection.is_key_rejected() => UpstreamFailure::KeyRefused(rejection).into(),
        () if rejection.is_client_error() => Failure::Rejected(rejection),
        () => UpstreamFailure::Status(rejection).into(),
    }
}

/// The headers that are text.
fn text_headers(headers: &HeaderMap) -> Vec<(&str, &str)> {
    headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect()
}

/// The content type; empty if it is missing.
fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Returns a whole answer if it is the JSON that `route` answers with.
fn checked_answer(route: Route, content_type: &str, answer: Bytes) -> Result<Bytes, Failure> {
    parse_response(route.expected(), content_type, &answer).map_err(UpstreamFailure::from)?;
    Ok(answer)
}

/// The failure of an answer over [`ANSWER_BYTES_MAX`].
fn too_large() -> Failure {
    UpstreamFailure::TooLarge(format!("it is larger than {ANSWER_BYTES_MAX} bytes")).into()
}
