//! A stream between its first token and its end, counted while it is open.

use std::sync::Arc;
use std::time::Duration;

use gateway::LlmMetrics;

use crate::errors::Failure;

/// A stream between its first token and its end.
#[derive(Debug)]
pub(crate) struct OpenStream {
    counted: gateway::OpenStream,
    /// Boxed at its length: a `String` may keep the capacity of a larger one as long as the stream is open.
    request_id: Box<str>,
}

impl OpenStream {
    /// Counts a stream whose first token came `first_token` after the request.
    pub(crate) fn new(metrics: Arc<LlmMetrics>, request_id: String, first_token: Duration) -> Self {
        OpenStream { counted: gateway::OpenStream::new(metrics, first_token), request_id: request_id.into() }
    }

    /// Counts a token, the first one too.
    pub(crate) fn token(&mut self) {
        self.counted.token();
    }

    /// Logs why the stream failed: its client learns less.
    pub(crate) fn failed(&self, failure: &Failure) {
        tracing::info!(request_id = &*self.request_id, %failure, "a stream failed after its first token");
    }
}
