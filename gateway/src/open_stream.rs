//! A stream between its first token and its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::llm_metrics::LlmMetrics;

/// A stream between its first token and its end, which is when this is dropped.
#[derive(Debug)]
pub struct OpenStream {
    metrics: Arc<LlmMetrics>,
    last_token: Option<Instant>,
}

impl OpenStream {
    /// Counts a stream whose first token came `first_token` after the request.
    #[must_use]
    pub fn new(metrics: Arc<LlmMetrics>, first_token: Duration) -> Self {
        metrics.stream_opened(first_token);
        OpenStream { metrics, last_token: None }
    }

    /// Counts a token, the first one too.
    pub fn token(&mut self) {
        let now = Instant::now();
        if let Some(last) = self.last_token.replace(now) {
            self.metrics.token_gap(now - last);
        }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.metrics.stream_ended();
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::registry::Registry;

    use super::*;
    use crate::metrics_text::metrics_text;

    #[test]
    fn a_stream_of_three_tokens_has_two_gaps() {
        let mut registry = Registry::default();
        let mut open = OpenStream::new(Arc::new(LlmMetrics::new(&mut registry)), Duration::from_secs(1));
        (0..3).for_each(|_| open.token());
        let count = |name: &str| metrics_text(&registry).lines().any(|line| line == name);
        assert!(count("llm_inter_token_seconds_count 2"), "{}", metrics_text(&registry));
        assert!(count("llm_time_to_first_token_seconds_sum 1.0") && count("llm_open_streams 1"));
        drop(open);
        assert!(count("llm_open_streams 0"));
    }
}
