//! The client of the vendor: asynchronous, and one for all requests.

mod batch;
mod beginning;
mod client;
mod events;
mod response;
mod timeouts;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use gateway::{Route, UpstreamUrl};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use reqwest::{Client, Response};
use wire::REQUEST_ID_HEADER;
use wire::completion::Usage;
use wire::response::{is_not_event_stream, parse_response};

use crate::body::Format;
use crate::call::Call;
use crate::errors::{Failure, UpstreamFailure};
use crate::settings::{Limits, UpstreamKey};
use response::{content_type, no_stream, rate_limits, refusal};

pub(crate) use batch::Batch;
pub(crate) use events::EventStream;

const PROGRAM: &str = concat!("fixed-server/", env!("CARGO_PKG_VERSION"));

/// The vendor, as this server calls it.
#[derive(Debug)]
pub(crate) struct Upstream {
    client: Client,
    url: UpstreamUrl,
    key: Option<UpstreamKey>,
    limits: Limits,
}

/// A stream of the vendor's that has begun.
pub(crate) struct Streamed {
    pub(crate) events: EventStream,
    /// The first token, and what came before it.
    pub(crate) head: Batch,
    /// What the vendor says of its quota, as headers.
    pub(crate) rate_limits: Vec<(String, String)>,
}

/// The vendor's whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its bytes, unchanged.
    pub(crate) body: Bytes,
    /// The tokens that it cost, if it says so.
    pub(crate) usage: Option<Usage>,
    /// What the vendor says of its quota, as headers.
    pub(crate) rate_limits: Vec<(String, String)>,
}

impl Upstream {
    /// A client with a pool of connections, for the vendor at `url`, which is sent `key`.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    // ANCHOR: client-per-request
    pub(crate) fn new(url: &UpstreamUrl, key: Option<&UpstreamKey>, limits: &Limits) -> reqwest::Result<Self> {
        // FIX client-per-request: one client, made at the start. Each call finds the connections that earlier calls have
        // left in its pool.
        let client = client::build(url, limits.upstream.connect_timeout)?;
        Ok(Upstream { client, url: url.clone(), key: key.cloned(), limits: limits.clone() })
    }
    // ANCHOR_END: client-per-request

    /// Opens the vendor's stream, waits for its first token and returns both. Dropped at any point, it closes
    /// the connection, and the vendor stops.
    ///
    /// Boxed: the caller puts it into one limit after the other, and an `async fn` that takes a future
    /// stores it twice, as its argument and as what it awaits.
    pub(crate) fn stream<'a>(
        &'a self,
        call: &'a Call,
        format: Format,
    ) -> BoxFuture<'a, Result<Box<Streamed>, Failure>> {
        Box::pin(async move {
            let response = self.send(call).await?;
            let rate_limits = rate_limits(response.headers());
            if is_not_event_stream(content_type(response.headers())) {
                return Err(no_stream(response).await);
            }
            let mut events = EventStream::new(response.into(), &self.limits);
            let head = events.first_token(format).await?.into_batch();
            // Boxed: it is handed through many layers, and each of them reserves its memory.
            Ok(Box::new(Streamed { events, head, rate_limits }))
        })
    }

    // ANCHOR: worker-watchdog
    /// The vendor's whole answer, checked to be one. Boxed as [`Upstream::stream`] is.
    pub(crate) fn whole<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Answer, Failure>> {
        Box::pin(async move {
            // FIX worker-watchdog: it waits only in an `.await`. Meanwhile the event loop serves the streams and sends its
            // heartbeats, however long the vendor takes.
            let response = self.send(call).await?;
            let rate_limits = rate_limits(response.headers());
            let kind = content_type(response.headers()).to_owned();
            let body = response::body(response).await?;
            let usage = parse_response(call.route.expected(), &kind, &body).map_err(UpstreamFailure::from)?;
            Ok(Answer { body: body.into(), usage, rate_limits })
        })
    }
    // ANCHOR_END: worker-watchdog

    /// Sends `call` and returns the response once its head has arrived.
    ///
    /// # Errors
    /// Also a status other than 2xx: to reqwest a 500 is no error.
    async fn send(&self, call: &Call) -> Result<Response, Failure> {
        let url = self.url.url(call.route.path());
        let request = match call.route {
            Route::Models => self.client.get(url),
            Route::ChatCompletions => {
                self.client.post(url).header(CONTENT_TYPE, "application/json").body(call.body.clone())
            }
        };
        let request = request.header(USER_AGENT, PROGRAM);
        let request = request.header(ACCEPT, "application/json, text/event-stream");
        let request = request.header(REQUEST_ID_HEADER, &call.request_id);
        // The client's own key stays here: it is this server's, not the vendor's.
        let request = match &self.key {
            Some(key) => request.header(AUTHORIZATION, key.bearer()),
            None => request,
        };
        let request = call.mock_headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        let response = request.send().await.map_err(UpstreamFailure::from)?;
        if response.status().is_success() { Ok(response) } else { Err(refusal(response).await) }
    }
}
