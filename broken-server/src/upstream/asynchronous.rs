//! The asynchronous client (reqwest), for the control.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use gateway::{Route, UpstreamLimits, UpstreamUrl};
use reqwest::Response;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::redirect::Policy;
use resilience::timeout_with_recheck;
use wire::REQUEST_ID_HEADER;
use wire::response::{is_not_event_stream, parse_non_stream_response};

use super::event_decoder::EventDecoder;
use super::{ANSWER_BYTES_MAX, Message, USER_AGENT, checked_answer, content_type, failure_of, text_headers, too_large};
use crate::call::Call;
use crate::errors::{Failure, UpstreamFailure};
use crate::settings::Settings;

/// The asynchronous client: a call that waits costs a small struct and no thread. Clones share the connections.
///
/// One thing needs a thread even here: looking up a host NAME runs in the worker's blocking pool. The control does not
/// use that pool, so it does not matter there; an address needs no look-up.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    upstream: UpstreamUrl,
    limits: UpstreamLimits,
}

impl Client {
    /// A client with a pool of connections.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub(crate) fn new(settings: &Settings, limits: UpstreamLimits) -> reqwest::Result<Self> {
        Ok(Client { http: http(limits).build()?, upstream: settings.upstream.clone(), limits })
    }

    /// The same with one more limit, which reqwest keeps: from the request to the last byte of the answer's body.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub(crate) fn with_total_timeout(
        settings: &Settings,
        limits: UpstreamLimits,
        total: Duration,
    ) -> reqwest::Result<Self> {
        let http = http(limits).timeout(total).build()?;
        Ok(Client { http, upstream: settings.upstream.clone(), limits })
    }

    /// Another client of the same vendor, with connections of its own.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub(crate) fn another(&self) -> reqwest::Result<Self> {
        Ok(Client { http: http(self.limits).build()?, ..self.clone() })
    }

    /// The vendor's stream. Nothing runs unless it is polled; dropping it closes the connection.
    pub(crate) fn stream(&self, call: Call) -> impl Stream<Item = Result<Message, Failure>> + 'static {
        let reader = EventReader { decoder: EventDecoder::new(self.limits), state: State::Unsent(self.clone(), call) };
        stream::unfold(reader, |mut reader| async move { Some((reader.next().await?, reader)) })
    }

    /// How long the first token of a stream may take.
    pub(crate) fn first_token_timeout(&self) -> Duration {
        self.limits.first_token_timeout
    }

    /// The vendor's whole answer.
    pub(crate) async fn whole(&self, call: &Call) -> Result<Bytes, Failure> {
        self.read_whole(call, self.limits.first_token_timeout, self.limits.idle_timeout).await
    }

    /// The same without timeouts, for a caller that has one for the whole call.
    pub(crate) async fn whole_without_limits(&self, call: &Call) -> Result<Bytes, Failure> {
        self.read_whole(call, Duration::MAX, Duration::MAX).await
    }

    async fn read_whole(&self, call: &Call, head: Duration, silence: Duration) -> Result<Bytes, Failure> {
        let sent = timeout_with_recheck(head, self.send(call)).await;
        let mut response = sent.ok_or(UpstreamFailure::FirstTokenTimeout)??;
        let answer = body(&mut response, silence).await?;
        checked_answer(call.route, content_type(response.headers()), answer)
    }

    /// Sends a call for a stream, and returns the head of the answer if a stream follows.
    async fn open(&self, call: &Call) -> Result<Response, Failure> {
        let mut response = self.send(call).await?;
        if !is_not_event_stream(content_type(response.headers())) {
            return Ok(response);
        }
        let body = rest_of(&mut response).await;
        Err(UpstreamFailure::from(parse_non_stream_response(content_type(response.headers()), &body)).into())
    }

    /// The vendor's whole answer, or its error, without timeouts: whatever it is.
    pub(crate) async fn whole_of_any_status(&self, call: &Call) -> Result<Bytes, Failure> {
        body(&mut self.send_unchecked(call).await?, Duration::MAX).await
    }

    /// Sends `call`, and returns the head of the answer if its status is 2xx.
    async fn send(&self, call: &Call) -> Result<Response, Failure> {
        let mut response = self.send_unchecked(call).await?;
        let status = response.status();
        if status.is_success() {
            call.progress.keep_rate_limits(&text_headers(response.headers()));
            return Ok(response);
        }
        let body = rest_of(&mut response).await;
        Err(failure_of(status.as_u16(), &text_headers(response.headers()), &body))
    }

    /// Sends `call`, and returns the head of the answer, whatever its status: to reqwest a 500 is no error.
    async fn send_unchecked(&self, call: &Call) -> Result<Response, Failure> {
        let url = self.upstream.url(call.route.path());
        let request = match call.route {
            Route::Models => self.http.get(url),
            Route::ChatCompletions => {
                self.http.post(url).header(CONTENT_TYPE, "application/json").body(call.body.clone())
            }
        };
        let request = request.header(ACCEPT, "application/json, text/event-stream");
        let request = request.header(REQUEST_ID_HEADER, &call.request_id);
        let request = call.mock_headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        Ok(request.send().await.map_err(UpstreamFailure::from)?)
    }
}

/// The body of an answer, in which no pause is longer than `silence`.
async fn body(response: &mut Response, silence: Duration) -> Result<Bytes, Failure> {
    let mut body = Vec::new();
    loop {
        let chunk = timeout_with_recheck(silence, response.chunk()).await.ok_or(UpstreamFailure::IdleTimeout)?;
        match chunk.map_err(UpstreamFailure::from)? {
            Some(piece) if body.len() + piece.len() > ANSWER_BYTES_MAX => return Err(too_large()),
            Some(piece) => body.extend_from_slice(&piece),
            None => return Ok(body.into()),
        }
    }
}

fn http(limits: UpstreamLimits) -> reqwest::ClientBuilder {
    gateway::http_client()
        .redirect(Policy::none())
        .user_agent(USER_AGENT)
        .tcp_nodelay(true)
        .connect_timeout(limits.connect_timeout)
}

/// The body of an answer that is an error, as far as it can be read: it is an error even if its body cannot be read.
async fn rest_of(response: &mut Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await
        && body.len() < ANSWER_BYTES_MAX
    {
        body.extend_from_slice(&piece);
    }
    body
}

/// The vendor's stream, read when it is polled.
#[derive(Debug)]
struct EventReader {
    decoder: EventDecoder,
    state: State,
}

#[derive(Debug)]
enum State {
    Unsent(Client, Call),
    Open(Response),
    Closed,
}

impl EventReader {
    async fn next(&mut self) -> Option<Result<Message, Failure>> {
        loop {
            if let Some(taken) = self.decoder.take() {
                return Some(taken);
            }
            if self.decoder.ended() {
                self.state = State::Closed;
                return None;
            }
            self.read().await;
        }
    }

    /// Reads once; or sends the request, if it has not been sent.
    async fn read(&mut self) {
        let EventReader { decoder, state } = self;
        match state {
            State::Unsent(client, call) => {
                match timeout_with_recheck(decoder.read_timeout(), client.open(call)).await {
                    Some(Ok(response)) => *state = State::Open(response),
                    Some(Err(failure)) => decoder.fail(failure),
                    None => decoder.time_out(),
                }
            }
            State::Open(response) => match timeout_with_recheck(decoder.read_timeout(), response.chunk()).await {
                Some(Ok(Some(piece))) => decoder.feed(&piece),
                Some(Ok(None)) => decoder.end(),
                Some(Err(error)) => decoder.fail(UpstreamFailure::from(error).into()),
                None => decoder.time_out(),
            },
            State::Closed => decoder.end(),
        }
    }
}
