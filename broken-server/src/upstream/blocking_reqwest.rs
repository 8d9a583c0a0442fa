//! The blocking client of reqwest, for one mistake.

use std::io::{self, Read};
use std::panic::resume_unwind;
use std::thread;

use bytes::Bytes;
use gateway::{Route, UpstreamLimits, UpstreamUrl};
use reqwest::blocking::{self, Response};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::redirect::Policy;
use wire::REQUEST_ID_HEADER;
use wire::response::{is_not_event_stream, parse_non_stream_response};

use super::event_decoder::EventDecoder;
use super::{ANSWER_BYTES_MAX, Message, USER_AGENT, checked_answer, content_type, failure_of, text_headers, too_large};
use crate::call::Call;
use crate::errors::{Failure, UpstreamFailure};
use crate::settings::Settings;

/// Most bytes that one read of a stream returns.
const READ_BYTES: usize = 8 * 1024;

/// The blocking client of reqwest. It runs its own runtime on its own thread, and the caller's thread waits for it.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: blocking::Client,
    upstream: UpstreamUrl,
    limits: UpstreamLimits,
}

impl Client {
    /// A client with a pool of connections.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub(crate) fn new(settings: &Settings) -> reqwest::Result<Self> {
        let limits = settings.upstream_limits;
        let builder = blocking::ClientBuilder::from(gateway::http_client())
            .redirect(Policy::none())
            .user_agent(USER_AGENT)
            .tcp_nodelay(true)
            .connect_timeout(limits.connect_timeout)
            // This client has one timeout for every read. It must be the longer of the two: the shorter one would
            // end healthy streams.
            .timeout(limits.first_token_timeout.max(limits.idle_timeout));
        // Even building it panics on a thread with a runtime.
        let made = thread::scope(|scope| scope.spawn(|| builder.build()).join());
        let http = made.unwrap_or_else(|panic| resume_unwind(panic))?;
        Ok(Client { http, upstream: settings.upstream.clone(), limits })
    }

    /// The vendor's stream. The request is sent when the first message is read.
    pub(crate) fn stream(&self, call: Call) -> EventReader {
        EventReader { decoder: EventDecoder::new(self.limits), state: State::Unsent(self.clone(), call) }
    }

    /// The vendor's whole answer.
    pub(crate) fn whole(&self, call: &Call) -> Result<Bytes, Failure> {
        let mut answer = Vec::new();
        let response = self.send(call)?;
        let kind = content_type(response.headers()).to_owned();
        let read = response.take(ANSWER_BYTES_MAX as u64 + 1).read_to_end(&mut answer);
        match read.map_err(|error| read_failure(error, UpstreamFailure::IdleTimeout))? {
            length if length > ANSWER_BYTES_MAX => Err(too_large()),
            _ => checked_answer(call.route, &kind, answer.into()),
        }
    }

    /// Sends `call`, and returns the head of the answer if its status is 2xx.
    fn send(&self, call: &Call) -> Result<Response, Failure> {
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
        let mut response = request.send().map_err(|error| failure(error, UpstreamFailure::FirstTokenTimeout))?;
        let status = response.status();
        if status.is_success() {
            call.progress.keep_rate_limits(&text_headers(response.headers()));
            return Ok(response);
        }
        let body = rest_of(&mut response);
        Err(failure_of(status.as_u16(), &text_headers(response.headers()), &body))
    }

    /// Sends a call for a stream, and returns the head of the answer if a stream follows.
    fn open(&self, call: &Call) -> Result<Response, Failure> {
        let mut response = self.send(call)?;
        if !is_not_event_stream(content_type(response.headers())) {
            return Ok(response);
        }
        let body = rest_of(&mut response);
        Err(UpstreamFailure::from(parse_non_stream_response(content_type(response.headers()), &body)).into())
    }
}

/// The vendor's stream, read on the thread of the caller.
pub(crate) struct EventReader {
    decoder: EventDecoder,
    state: State,
}

enum State {
    Unsent(Client, Call),
    Open(Response, Box<[u8; READ_BYTES]>),
    Closed,
}

impl Iterator for EventReader {
    type Item = Result<Message, Failure>;

    /// Blocks until there is a message, or the timeout has passed.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(taken) = self.decoder.take() {
                return Some(taken);
            }
            if self.decoder.ended() {
                self.state = State::Closed;
                return None;
            }
            self.read();
        }
    }
}

impl EventReader {
    /// Reads once; or sends the request, if it has not been sent.
    fn read(&mut self) {
        let EventReader { decoder, state } = self;
        match state {
            State::Unsent(client, call) => match client.open(call) {
                Ok(response) => *state = State::Open(response, Box::new([0; READ_BYTES])),
                Err(failure) => decoder.fail(failure),
            },
            State::Open(response, buffer) => match response.read(&mut buffer[..]) {
                Ok(0) => decoder.end(),
                Ok(length) => decoder.feed(&buffer[..length]),
                Err(error) if reqwest_error(&error).is_some_and(reqwest::Error::is_timeout) => decoder.time_out(),
                Err(error) => decoder.fail(read_failure(error, UpstreamFailure::IdleTimeout)),
            },
            State::Closed => decoder.end(),
        }
    }
}

/// The body of an answer that is an error, as far as it can be read: it is an error even if its body cannot be read.
fn rest_of(response: &mut Response) -> Vec<u8> {
    let mut body = Vec::new();
    let _ = response.take(ANSWER_BYTES_MAX as u64).read_to_end(&mut body);
    body
}

/// The error of reqwest inside an error of a read.
fn reqwest_error(error: &io::Error) -> Option<&reqwest::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// What an error of a read means; `late` is the failure if it timed out.
fn read_failure(error: io::Error, late: UpstreamFailure) -> Failure {
    match error.downcast::<reqwest::Error>() {
        Ok(error) => failure(error, late),
        Err(error) => UpstreamFailure::Broken(error.to_string()).into(),
    }
}

/// What an error of reqwest means; `late` is the failure if it timed out.
fn failure(error: reqwest::Error, late: UpstreamFailure) -> Failure {
    if error.is_timeout() && !error.is_connect() { late.into() } else { UpstreamFailure::from(error).into() }
}
