//! One request, from when it is sent to the end of its answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::Response;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use wire::retry_after;

use super::body::BodyReader;
use super::events::read_events;
use super::format::Framing;
use super::json_lines::read_lines;
use super::pieces::read_pieces;
use super::rejection::{beginning, read_rejection};
use super::whole_answer::read_whole;
use super::{Client, ExpectedAnswer, Reads, Request};
use crate::http::{self, Endpoint, Receive};
use crate::measure::{StreamAnswer, StreamEnd, StreamGuard, StreamListener, StreamLog};

/// A request to a server, and what its client does with the answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The server.
    pub endpoint: Endpoint,
    /// The request.
    pub request: Request,
    /// Its client.
    pub client: Client,
    /// A request that takes longer counts as failed.
    pub timeout: Duration,
    /// Follows the answer while it arrives, if anything does.
    pub listener: Option<StreamListener>,
}

/// The cause that is counted for a 2xx answer that is not an event stream.
pub const NO_EVENT_STREAM: &str = "no event stream";

impl Exchange {
    /// Longer than any lab: the generator must not end a stream that hangs.
    const TIMEOUT: Duration = Duration::from_secs(120);

    /// A request of a client that reads the answer to its end, and waits for it for two minutes.
    #[must_use]
    pub fn new(endpoint: Endpoint, request: Request) -> Self {
        Exchange { endpoint, request, client: Client::default(), timeout: Self::TIMEOUT, listener: None }
    }

    /// Sends the request, which was due at `due`, and counts it in `log`. Dropped, it closes the connection, and the
    /// request counts as still open.
    pub async fn perform(&self, due: Instant, log: &Arc<StreamLog>) -> StreamAnswer {
        let mut guard = StreamGuard::begin(log, due);
        if self.client.keeps_text {
            guard.keep_text();
        }
        self.listener.iter().for_each(|listener| guard.tell(listener.clone()));
        let limit = Instant::now() + self.timeout;
        let leaves_at = self.client.disconnects_after.map(|after| due + after).filter(|at| *at < limit);
        let until = leaves_at.unwrap_or(limit);
        let ended = match tokio::time::timeout_at(until.into(), self.exchange(&mut guard)).await {
            Ok(ended) => ended,
            Err(_) if leaves_at.is_some() || guard.has_stopped_reading() => StreamEnd::Disconnected,
            Err(_) => {
                guard.explain(format!("no answer within {:?}", self.timeout));
                StreamEnd::Failed("timed out")
            }
        };
        guard.end(ended)
    }

    async fn exchange(&self, guard: &mut StreamGuard) -> StreamEnd {
        let Request { method, path, headers, body, answer } = &self.request;
        let request = self.endpoint.request(method, path, headers, body.clone());
        let receive = if self.client.reads == Reads::AtOnce { Receive::AtOnce } else { Receive::Little };
        let mut exchange = match http::send(&self.endpoint, request, receive).await {
            Ok(exchange) => exchange,
            Err(error) => {
                guard.explain(error.to_string());
                return StreamEnd::Failed(error.cause());
            }
        };
        let response = &mut exchange.response;
        count_head(response, guard);
        let status = response.status();
        if !status.is_success() {
            return read_rejection(response, guard).await;
        }
        let content_type = response.headers().get(CONTENT_TYPE).cloned();
        let framing = self.client.format.framing(content_type.as_ref().and_then(|value| value.to_str().ok()));
        let mut body = BodyReader::of(response, self.client.reads);
        match answer {
            ExpectedAnswer::Whole | ExpectedAnswer::Completion => {
                read_whole(&mut body, *answer, content_type, guard).await
            }
            ExpectedAnswer::Stream => {
                let ended = match framing {
                    Some(Framing::Events) => read_events(&mut body, guard, &self.client).await,
                    Some(Framing::Lines) => read_lines(&mut body, guard, &self.client).await,
                    Some(Framing::Pieces) => read_pieces(&mut body, guard, &self.client).await,
                    None => return no_stream(response, guard).await,
                };
                let takes = self.client.accepts_eof && ended == StreamEnd::Truncated && guard.has_token();
                if takes { StreamEnd::TakenAsComplete } else { ended }
            }
        }
    }
}

/// An answer that is no stream, of which one is kept to be shown.
async fn no_stream(response: &mut Response<Incoming>, guard: &mut StreamGuard) -> StreamEnd {
    let ended = StreamEnd::Failed(NO_EVENT_STREAM);
    if guard.wants_answer(ended) {
        let answer = beginning(response, guard).await;
        guard.keep_answer(ended, &answer);
    }
    ended
}

/// Counts the status and the headers.
fn count_head(response: &Response<Incoming>, guard: &mut StreamGuard) {
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    guard.answered(response.status().as_u16(), header(wire::STREAM_METHOD_HEADER));
    if let Some(after) = retry_after::from_headers(header) {
        guard.retry_after(after);
    }
}
