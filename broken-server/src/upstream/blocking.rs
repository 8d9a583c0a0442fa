//! The blocking client (ureq), for mistakes that block threads.

use std::io::{ErrorKind, Read};

use bytes::Bytes;
use gateway::{Route, UpstreamLimits, UpstreamUrl};
use ureq::http::Response;
use ureq::http::header::{ACCEPT, CONTENT_TYPE};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, TcpConnector};
use ureq::{Agent, Body, BodyReader, RequestBuilder, Timeout};
use wire::REQUEST_ID_HEADER;
use wire::response::{is_not_event_stream, parse_non_stream_response};

use super::event_decoder::EventDecoder;
use super::read_limit::{ReadLimitConnector, with_read_limit};
use super::{ANSWER_BYTES_MAX, Message, USER_AGENT, checked_answer, content_type, failure_of, text_headers, too_large};
use crate::call::Call;
use crate::errors::{Failure, UpstreamFailure};
use crate::settings::Settings;

/// Most bytes that one read of a stream returns.
const READ_BYTES: usize = 8 * 1024;

/// The blocking client. Every method blocks its thread until it returns. The mistakes are about where that happens: on
/// an event loop, or in a small pool. Clones share the connections.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    agent: Agent,
    upstream: UpstreamUrl,
    limits: UpstreamLimits,
}

impl Client {
    /// A client that keeps a connection for every thread that may use it.
    pub(crate) fn new(settings: &Settings, limits: UpstreamLimits) -> Self {
        let threads = usize::from(settings.workers) * usize::from(settings.blocking_threads);
        let config = Agent::config_builder()
            // A proxy from the environment would also be used for a vendor on loopback.
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(USER_AGENT)
            // By default it keeps three, and would open all others anew.
            .max_idle_connections(threads)
            .max_idle_connections_per_host(threads)
            .timeout_connect(Some(limits.connect_timeout))
            .timeout_recv_response(Some(limits.first_token_timeout))
            .timeout_per_write(Some(limits.idle_timeout))
            .build();
        let connector = ().chain(TcpConnector::default()).chain(ReadLimitConnector);
        let agent = Agent::with_parts(config, connector, DefaultResolver::default());
        Client { agent, upstream: settings.upstream.clone(), limits }
    }

    /// The vendor's stream. The request is sent when the first message is read.
    pub(crate) fn stream(&self, call: Call) -> EventReader {
        EventReader { decoder: EventDecoder::new(self.limits), state: State::Unsent(self.clone(), call) }
    }

    /// The vendor's whole answer.
    pub(crate) fn whole(&self, call: &Call) -> Result<Bytes, Failure> {
        let response = with_read_limit(self.limits.first_token_timeout, || self.send(call))?;
        let kind = content_type(response.headers()).to_owned();
        let body = response.into_body().into_with_config().limit(ANSWER_BYTES_MAX as u64);
        match with_read_limit(self.limits.idle_timeout, || body.read_to_vec()) {
            Ok(answer) => checked_answer(call.route, &kind, answer.into()),
            Err(ureq::Error::BodyExceedsLimit(_)) => Err(too_large()),
            Err(error) => Err(failure(error, UpstreamFailure::IdleTimeout)),
        }
    }

    /// Ends all calls, including those that wait for the vendor, so that their threads are free when the server stops.
    pub(crate) fn disconnect(&self) {
        self.agent.clone().shutdown();
    }

    /// Sends `call`, and returns the head of the answer if its status is 2xx.
    fn send(&self, call: &Call) -> Result<Response<Body>, Failure> {
        let url = self.upstream.url(call.route.path());
        let sent = match call.route {
            Route::Models => with_headers(self.agent.get(url), call).call(),
            Route::ChatCompletions => {
                let request = with_headers(self.agent.post(url), call).header(CONTENT_TYPE, "application/json");
                request.send(&call.body[..])
            }
        };
        let mut response = sent.map_err(|error| failure(error, UpstreamFailure::FirstTokenTimeout))?;
        let status = response.status();
        if status.is_success() {
            call.progress.keep_rate_limits(&text_headers(response.headers()));
            return Ok(response);
        }
        let body = rest_of(&mut response);
        Err(failure_of(status.as_u16(), &text_headers(response.headers()), &body))
    }

    /// Sends a call for a stream, and returns the head of the answer if a stream follows.
    fn open(&self, call: &Call) -> Result<Response<Body>, Failure> {
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
    Open(BodyReader<'static>, Box<[u8; READ_BYTES]>),
    Closed,
}

impl Iterator for EventReader {
    type Item = Result<Message, Failure>;

    /// Blocks until there is a message, or a timeout has passed.
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
            State::Unsent(client, call) => {
                // The timeout starts now: the vendor is not at fault for a wait in our queue.
                *decoder = EventDecoder::new(client.limits);
                match with_read_limit(decoder.read_timeout(), || client.open(call)) {
                    Ok(response) => {
                        *state = State::Open(response.into_body().into_reader(), Box::new([0; READ_BYTES]));
                    }
                    Err(failure) => decoder.fail(failure),
                }
            }
            State::Open(body, buffer) => match with_read_limit(decoder.read_timeout(), || body.read(&mut buffer[..])) {
                Ok(0) => decoder.end(),
                Ok(length) => decoder.feed(&buffer[..length]),
                Err(error) => match ureq::Error::from(error) {
                    ureq::Error::Timeout(_) => decoder.time_out(),
                    error => decoder.fail(failure(error, UpstreamFailure::IdleTimeout)),
                },
            },
            State::Closed => decoder.end(),
        }
    }
}

/// The body of an answer that is an error, as far as it can be read: it is an error even if its body cannot be read.
fn rest_of(response: &mut Response<Body>) -> Vec<u8> {
    response.body_mut().with_config().limit(ANSWER_BYTES_MAX as u64).read_to_vec().unwrap_or_default()
}

fn with_headers<B>(request: RequestBuilder<B>, call: &Call) -> RequestBuilder<B> {
    let request = request.header(ACCEPT, "application/json, text/event-stream");
    let request = request.header(REQUEST_ID_HEADER, &call.request_id);
    call.mock_headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

/// What an error of ureq means; `late` is the failure if a read timed out.
fn failure(error: ureq::Error, late: UpstreamFailure) -> Failure {
    let cause = match &error {
        ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve)
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed => UpstreamFailure::Unreachable(error.to_string()),
        ureq::Error::Timeout(_) => late,
        ureq::Error::Io(io) if is_unreachable(io.kind()) => UpstreamFailure::Unreachable(error.to_string()),
        _ => UpstreamFailure::Broken(error.to_string()),
    };
    cause.into()
}

/// Whether an I/O error means that there is no connection.
fn is_unreachable(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::AddrNotAvailable
    )
}
