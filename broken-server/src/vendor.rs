/// The asynchronous client (reqwest), for the control.
pub(crate) mod asynchronous;
/// The blocking client (ureq), for the mistakes with threads.
pub(crate) mod blocking;
/// reqwest's blocking client, for one mistake.
pub(crate) mod blocking_reqwest;

/// What both do with the bytes of a stream.
mod inbox;
/// Read limits that change within a call, which ureq has not.
mod read_limit;

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value};
use wire::error::ErrorBody;
use wire::sse::Event;
use wire::stream::VendorEvent;

use crate::errors::{Failure, UpstreamFailure};
use crate::settings::Settings;

/// Largest whole answer that is taken from a vendor, in bytes (8 MiB): a million tokens of text.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Sent as `User-Agent`.
const USER_AGENT: &str = concat!("broken-server/", env!("CARGO_PKG_VERSION"));

/// One request to the vendor.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// What is asked for.
    pub(crate) route: Route,
    /// The request's body; empty for a route that takes none.
    pub(crate) body: Bytes,
    /// Passed on as `X-Request-ID`, so that one request can be followed through both logs.
    pub(crate) request_id: String,
    /// Headers that steer the mock vendor; empty unless the server was told to pass them on.
    pub(crate) mock_headers: Vec<(String, String)>,
}

/// The vendor's routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// `POST /v1/chat/completions`
    ChatCompletions,
    /// `GET /v1/models`
    Models,
}

impl Route {
    fn path(self) -> &'static str {
        match self {
            Route::ChatCompletions => "/v1/chat/completions",
            Route::Models => "/v1/models",
        }
    }

    /// The list that a whole answer of this route must have.
    fn answer_list(self) -> &'static str {
        match self {
            Route::ChatCompletions => "choices",
            Route::Models => "data",
        }
    }
}

/// How long the vendor may take. None of these is a total: a healthy stream may be as long as it likes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// For connecting.
    pub(crate) connect: Duration,
    /// From sending the request to the first token (of a whole answer: to its head).
    pub(crate) first_token: Duration,
    /// For each silence after that.
    pub(crate) idle: Duration,
}

impl Limits {
    /// As the flags have them.
    pub(crate) fn of(settings: &Settings) -> Self {
        Limits {
            connect: settings.connect_timeout,
            first_token: settings.first_token_timeout,
            idle: settings.idle_timeout,
        }
    }
}

/// One event of the vendor's stream: as it came, to pass on, and read, to look at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    pub(crate) event: Event,
    pub(crate) content: VendorEvent,
}

/// The failure that an answer with another status than 2xx is.
fn not_ok(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Failure {
    if !(400..=499).contains(&status) {
        return UpstreamFailure::Status { status, retry_after }.into();
    }
    let body = serde_json::from_slice(body).unwrap_or_else(|_| {
        ErrorBody::new("upstream_rejected", format!("the model's vendor refused the request with status {status}"))
    });
    Failure::Rejected { status, body, retry_after }
}

/// Passes a whole answer on if it is the kind of JSON that `route` answers with.
fn checked_answer(route: Route, answer: Bytes) -> Result<Bytes, Failure> {
    let list = route.answer_list();
    match serde_json::from_slice::<Map<String, Value>>(&answer) {
        Ok(fields) if fields.get(list).is_some_and(Value::is_array) => Ok(answer),
        Ok(_) => Err(UpstreamFailure::Malformed(format!("there is no list '{list}' in it")).into()),
        Err(error) => Err(UpstreamFailure::Malformed(error.to_string()).into()),
    }
}

/// An answer that is over [`ANSWER_BYTES_MAX`].
fn too_large() -> Failure {
    UpstreamFailure::Malformed(format!("it is larger than {ANSWER_BYTES_MAX} bytes")).into()
}
