use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::{ErrorLabels, Metrics};
use crate::errors::Failure;

/// A call to the vendor under way. Dropped before [`CallGuard::succeeded`] or [`CallGuard::failed`],
/// it counts as a client that left: when a request is given up, nothing runs but `drop`. Or it panicked.
#[derive(Debug)]
pub(crate) struct CallGuard {
    metrics: Arc<Metrics>,
    request_id: String,
    begun: Instant,
    last_token: Instant,
    open: bool,
    ended: bool,
}

impl CallGuard {
    /// Counts a call that begins.
    pub(crate) fn begin(metrics: Arc<Metrics>, request_id: String) -> Self {
        metrics.calls.inc();
        metrics.concurrent.inc();
        let now = Instant::now();
        CallGuard { metrics, request_id, begun: now, last_token: now, open: false, ended: false }
    }

    /// A token of a stream has come.
    pub(crate) fn token(&mut self) {
        let now = Instant::now();
        if self.open {
            self.metrics.inter_token.observe((now - self.last_token).as_secs_f64());
        } else {
            self.open = true;
            self.metrics.open_streams.inc();
            self.metrics.first_token.observe((now - self.begun).as_secs_f64());
        }
        self.last_token = now;
    }

    /// The call was answered whole.
    pub(crate) fn succeeded(&mut self) {
        self.ended = true;
    }

    /// The call failed, before or after its first token.
    pub(crate) fn failed(&mut self, failure: &Failure) {
        self.ended = true;
        tracing::debug!(request_id = self.request_id, %failure, "a call failed");
        self.metrics.errors.get_or_create(&ErrorLabels { r#type: failure.kind() }).inc();
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        self.metrics.concurrent.dec();
        self.metrics.duration.observe(self.begun.elapsed().as_secs_f64());
        if self.open {
            self.metrics.open_streams.dec();
        }
        if self.ended {
            return;
        }
        if thread::panicking() {
            self.failed(&Failure::Internal("the call's handler panicked"));
        } else {
            tracing::debug!(request_id = self.request_id, "the client left");
            self.metrics.disconnects.inc();
        }
    }
}
