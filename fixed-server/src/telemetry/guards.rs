//! What is under way, counted when it ends, however it ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use resilience::{AdmissionPermit, Permit};
use wire::completion::Usage;

use super::Metrics;
use crate::call::Call;
use crate::errors::Failure;
use crate::sessions::SessionCall;

/// A client's connection, with its place under the limit.
#[derive(Debug)]
pub(crate) struct OpenConnection {
    metrics: Arc<Metrics>,
    _permit: Permit,
}

impl OpenConnection {
    /// A connection that was just accepted.
    pub(crate) fn new(metrics: Arc<Metrics>, permit: Permit) -> Self {
        metrics.connection_opened();
        OpenConnection { metrics, _permit: permit }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.metrics.connection_closed();
    }
}

/// A call to the vendor under way, from its permit to its end: of a stream, to the end of the stream.
/// The vendor's part is measured, without the wait for a turn.
#[derive(Debug)]
pub(crate) struct ActiveCall {
    metrics: Arc<Metrics>,
    begun: Instant,
    admitted: AdmissionPermit,
    prompt_tokens: u64,
    generated_tokens: u64,
    /// What the vendor says that it came to; without that, what was sent and seen.
    usage: Option<Usage>,
    /// To be told the same.
    session: Option<SessionCall>,
}

impl ActiveCall {
    /// A call that begins now, with its permit.
    pub(crate) fn new(metrics: Arc<Metrics>, admitted: AdmissionPermit, call: &Call) -> Self {
        let (prompt_tokens, session) = (call.prompt_tokens, call.session.clone());
        ActiveCall {
            metrics,
            begun: Instant::now(),
            admitted,
            prompt_tokens,
            generated_tokens: 0,
            usage: None,
            session,
        }
    }

    /// A token has come.
    pub(crate) fn token(&mut self) {
        self.generated_tokens += 1;
    }

    /// The vendor says what the call came to, in tokens.
    pub(crate) fn usage(&mut self, usage: Usage) {
        self.usage = Some(usage);
        if let Some(session) = &self.session {
            session.usage(usage);
        }
    }
}

impl Drop for ActiveCall {
    fn drop(&mut self) {
        let seen = self.prompt_tokens + self.generated_tokens;
        self.admitted.settle(self.usage.map_or(seen, |usage| usage.total_tokens));
        self.metrics.call_ended(self.begun.elapsed());
    }
}

/// A stream between its first token and its end.
#[derive(Debug)]
pub(crate) struct OpenStream {
    metrics: Arc<Metrics>,
    /// Boxed at its length: a `String` may keep the capacity of a larger one as long as the stream is open.
    request_id: Box<str>,
}

impl OpenStream {
    /// Counts a stream whose first token took so long.
    pub(crate) fn new(metrics: Arc<Metrics>, request_id: String, first_token: Duration) -> Self {
        metrics.stream_opened(first_token);
        OpenStream { metrics, request_id: request_id.into() }
    }

    /// Counts a token, `gap` after the one before it.
    pub(crate) fn token(&self, gap: Option<Duration>) {
        if let Some(gap) = gap {
            self.metrics.token(gap);
        }
    }

    /// Logs why the stream broke: its client is told less.
    pub(crate) fn failed(&self, failure: &Failure) {
        tracing::info!(request_id = &*self.request_id, %failure, "a stream broke after its first token");
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.metrics.stream_ended();
    }
}

/// An HTTP request that has not been answered yet. Dropped like this, its client has left: it counts
/// under 499, which nginx has made the custom for it.
#[derive(Debug)]
pub(crate) struct Unanswered {
    metrics: Arc<Metrics>,
    route: String,
    begun: Instant,
    status: u16,
}

impl Unanswered {
    /// A request that begins now; `route` is a pattern, never a path.
    pub(crate) fn new(metrics: Arc<Metrics>, route: String) -> Self {
        Unanswered { metrics, route, begun: Instant::now(), status: 499 }
    }

    /// The head of its answer is there.
    pub(crate) fn answered(mut self, status: u16) {
        self.status = status;
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        let route = std::mem::take(&mut self.route);
        self.metrics.request(route, self.status, self.begun.elapsed());
    }
}
