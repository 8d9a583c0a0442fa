/// The vendor's stream, read event by event.
mod events;

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::{Map, Value};
use wire::REQUEST_ID_HEADER;
use wire::completion::Usage;
use wire::error::ErrorBody;
use wire::retry_after;

use crate::call::{Call, Route};
use crate::errors::{Failure, UpstreamFailure};
use crate::settings::{Limits, UpstreamUrl};

pub(crate) use events::{Batch, EventStream, Message};

/// Largest whole answer that is taken from the vendor, in bytes (8 MiB): a million tokens of text.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How long a connection is kept that no call uses: under the 5 s after which servers such as Node's
/// and uvicorn close it, which would race with the next request.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// The vendor. One client for all requests: one that is made for each opens a connection for each.
#[derive(Debug)]
pub(crate) struct Upstream {
    client: Client,
    url: UpstreamUrl,
    limits: Limits,
}

/// The vendor's whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// As it came.
    pub(crate) body: Bytes,
    /// What it came to, if it says so.
    pub(crate) usage: Option<Usage>,
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
            .user_agent(concat!("fixed-server/", env!("CARGO_PKG_VERSION")))
            .tcp_nodelay(true)
            .connect_timeout(limits.connect_timeout)
            // A connection is not used again when the vendor is about to close it: many do after 5 s.
            // The client below this one asks again by itself in one case only, a kept connection that
            // turns out to be closed before a byte of the request was written to it.
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            // No `timeout`: a total would cut a healthy long stream. The stack has the others.
            .build()?;
        // ANCHOR_END: blocking-client
        Ok(Upstream { client, url: url.clone(), limits: limits.clone() })
    }

    /// Opens the vendor's stream and waits for its first token, which is returned with it. Dropped at any
    /// point, it closes the connection, and the vendor stops.
    pub(crate) async fn stream(&self, call: &Call) -> Result<(EventStream, Vec<Batch>), Failure> {
        let response = self.send(call).await?;
        let mut events = EventStream::new(response, &self.limits);
        let head = events.first_token().await?;
        Ok((events, head))
    }

    /// The vendor's whole answer, checked to be one.
    pub(crate) async fn whole(&self, call: &Call) -> Result<Answer, Failure> {
        let mut response = self.send(call).await?;
        let mut answer = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(failure)? {
            if answer.len() + piece.len() > ANSWER_BYTES_MAX {
                let text = format!("it is larger than {ANSWER_BYTES_MAX} bytes");
                return Err(UpstreamFailure::Malformed(text).into());
            }
            answer.extend_from_slice(&piece);
        }
        let usage = check_answer(call.route, &answer)?;
        Ok(Answer { body: answer.into(), usage })
    }

    /// Sends `call` and returns the answer's head, if it is a good one.
    async fn send(&self, call: &Call) -> Result<Response, Failure> {
        let request = match call.route {
            Route::Models => self.client.get(self.url.url("/v1/models")),
            Route::ChatCompletions => {
                let request = self.client.post(self.url.url("/v1/chat/completions"));
                request.header(CONTENT_TYPE, "application/json").body(call.body.clone())
            }
        };
        let request = request.header(ACCEPT, "application/json, text/event-stream");
        let request = request.header(REQUEST_ID_HEADER, &call.request_id);
        let request = call.mock_headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        let response = request.send().await.map_err(failure)?;
        // reqwest returns a 500 as Ok.
        if response.status().is_success() { Ok(response) } else { Err(refusal(response).await) }
    }
}

/// The failure that an answer with another status than 2xx is.
async fn refusal(mut response: Response) -> Failure {
    let status = response.status().as_u16();
    let retry_after = retry_after::told_by(|name| response.headers().get(name)?.to_str().ok());
    if !(400..=499).contains(&status) {
        return UpstreamFailure::Status { status, retry_after }.into();
    }
    // A refusal whose body cannot be read is still a refusal.
    let mut body = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await
        && body.len() < ANSWER_BYTES_MAX
    {
        body.extend_from_slice(&piece);
    }
    let body = serde_json::from_slice(&body).unwrap_or_else(|_| {
        ErrorBody::new("upstream_rejected", format!("the model's vendor refused the request with status {status}"))
    });
    Failure::Rejected { status, body, retry_after }
}

/// Looks whether it is an answer: a vendor that answers 200 with something else has failed. Gives the
/// token counts, if there are any.
fn check_answer(route: Route, answer: &[u8]) -> Result<Option<Usage>, UpstreamFailure> {
    let list = match route {
        Route::ChatCompletions => "choices",
        Route::Models => "data",
    };
    match serde_json::from_slice::<Map<String, Value>>(answer) {
        Ok(mut fields) if fields.get(list).is_some_and(Value::is_array) => {
            Ok(fields.remove("usage").and_then(|usage| serde_json::from_value(usage).ok()))
        }
        Ok(_) => Err(UpstreamFailure::Malformed(format!("there is no list '{list}' in it"))),
        Err(error) => Err(UpstreamFailure::Malformed(error.to_string())),
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
