//! A stream between its first token and its end, counted while it is open.

use std::sync::Arc;
use std::time::Duration;

use crate::errors::Failure;
use crate::telemetry::Metrics;

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
