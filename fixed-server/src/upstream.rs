//! The vendor's client: one, shared, asynchronous.

mod answer;
mod beginning;
mod connections;
mod events;
mod exchange;
mod patience;
mod unwanted;

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use gateway::UpstreamUrl;
use http::Request;
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use wire::REQUEST_ID_HEADER;
use wire::completion::Usage;
use wire::response::{is_not_event_stream, parse_response};

use crate::body::Format;
use crate::call::{Call, Route};
use crate::errors::{Failure, UpstreamFailure};
use crate::settings::Limits;
use connections::Connections;
use exchange::exchange;
use unwanted::{content_type, no_stream, rate_limits, refusal};

pub(crate) use events::{Batch, EventStream};

/// Largest whole answer that is taken from the vendor, in bytes (8 MiB): a million tokens of text.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How long a connection is kept that no call uses: under the 5 s after which servers such as Node's
/// and uvicorn close it, which would race with the next request.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

const PROGRAM: &str = concat!("fixed-server/", env!("CARGO_PKG_VERSION"));

/// The vendor. One client for all requests: one that is made for each opens a connection for each.
///
/// Whole calls are reqwest's. Streams have a client of their own, because a stream is held open for as
/// long as a model talks: what reqwest keeps for each (two buffers, a queue of requests, two tasks) was
/// half of this server's memory under 9,000 of them. `make bench` measures it.
#[derive(Debug)]
pub(crate) struct Upstream {
    client: Client,
    connections: Connections,
    url: UpstreamUrl,
    limits: Limits,
}

/// The vendor's stream, begun.
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
    /// As it came.
    pub(crate) body: Bytes,
    /// What it came to, if it says so.
    pub(crate) usage: Option<Usage>,
    /// What the vendor says of its quota, as headers.
    pub(crate) rate_limits: Vec<(String, String)>,
}

impl Upstream {
    /// A client with a pool of connections.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub(crate) fn new(url: &UpstreamUrl, limits: &Limits) -> reqwest::Result<Self> {
        // ANCHOR: blocking-client
        // FIX blocking-client: the same crate's asynchronous client; what it waits for is in its caller's `.await`.
        let client = Client::builder()
            // Also a vendor on loopback would be asked through a proxy from the environment.
            .no_proxy()
            // What a user asks is not for whom the vendor points at.
            .redirect(Policy::none())
            .tcp_nodelay(true)
            .connect_timeout(limits.upstream.connect_timeout)
            // A connection is not used again when the vendor is about to close it: many do after 5 s.
            // The client below this one asks again by itself in one case only, a kept connection that
            // turns out to be closed before a byte of the request was written to it.
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            // No `timeout`: a total would cut a healthy long stream. The stack has the others.
            .build()?;
        // ANCHOR_END: blocking-client
        let connections = Connections::new(url.address(), limits.upstream.connect_timeout);
        Ok(Upstream { client, connections, url: url.clone(), limits: limits.clone() })
    }

    /// Opens the vendor's stream and waits for its first token, which is returned with it. Dropped at any
    /// point, it closes the connection, and the vendor stops.
    ///
    /// Boxed: the caller puts it into one limit after the other, and an `async fn` that is given a future
    /// holds it twice, as its argument and as what it waits for.
    pub(crate) fn stream<'a>(&'a self, call: &'a Call, format: Format) -> BoxFuture<'a, Result<Streamed, Failure>> {
        Box::pin(async move {
            let response = exchange(&self.connections, self.request(call)?).await?;
            if !response.status().is_success() {
                return Err(refusal(response).await);
            }
            let rate_limits = rate_limits(response.headers());
            if is_not_event_stream(content_type(response.headers())) {
                return Err(no_stream(response).await);
            }
            let mut events = EventStream::new(response.into_body(), &self.limits);
            let head = events.first_token(format).await?.into_batch();
            Ok(Streamed { events, head, rate_limits })
        })
    }

    /// The vendor's whole answer, checked to be one. Boxed as [`Upstream::stream`] is.
    pub(crate) fn whole<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Answer, Failure>> {
        Box::pin(async move {
            let mut response = self.send(call).await?;
            let rate_limits = rate_limits(response.headers());
            let kind = content_type(response.headers()).to_owned();
            let mut answer = Vec::new();
            while let Some(piece) = response.chunk().await.map_err(failure)? {
                if answer.len() + piece.len() > ANSWER_BYTES_MAX {
                    let text = format!("it is larger than {ANSWER_BYTES_MAX} bytes");
                    return Err(UpstreamFailure::TooLarge(text).into());
                }
                answer.extend_from_slice(&piece);
            }
            let usage = parse_response(call.route.asked(), &kind, &answer).map_err(UpstreamFailure::from)?;
            Ok(Answer { body: answer.into(), usage, rate_limits })
        })
    }

    /// Sends `call` and returns the answer's head, if it is a good one.
    async fn send(&self, call: &Call) -> Result<Response, Failure> {
        let request = self.request(call)?.try_into().map_err(failure)?;
        let response = self.client.execute(request).await.map_err(failure)?;
        // reqwest returns a 500 as Ok.
        if response.status().is_success() { Ok(response) } else { Err(refusal(response.into()).await) }
    }

    fn request(&self, call: &Call) -> Result<Request<Bytes>, Failure> {
        let request = match call.route {
            Route::Models => Request::get(self.url.url("/v1/models")),
            Route::ChatCompletions => {
                let length = call.body.len();
                let request = Request::post(self.url.url("/v1/chat/completions"));
                request.header(CONTENT_TYPE, "application/json").header(CONTENT_LENGTH, length)
            }
        };
        let request = request.header(USER_AGENT, PROGRAM);
        let request = request.header(ACCEPT, "application/json, text/event-stream");
        let request = request.header(REQUEST_ID_HEADER, &call.request_id);
        let request = call.mock_headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        request.body(call.body.clone()).map_err(|_| Failure::Internal("a request to the vendor cannot be made"))
    }
}

/// What an error of reqwest's means.
fn failure(error: reqwest::Error) -> Failure {
    // Its own text leaves the cause out, and the log needs it.
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    if error.is_connect() { UpstreamFailure::Unreachable(text).into() } else { UpstreamFailure::Broken(text).into() }
}
