//! The guard of a call to the vendor that is under way, for the gauge of concurrent calls.

use std::sync::Arc;
use std::time::Instant;

use resilience::AdmissionPermit;

use super::Metrics;

/// A call to the vendor under way: from its permit, or where there is none from its request, to its end.
/// Of a stream, to the end of the stream.
#[derive(Debug)]
pub(crate) struct ActiveCall {
    metrics: Arc<Metrics>,
    begun: Instant,
    _admitted: Option<AdmissionPermit>,
}

impl ActiveCall {
    /// A call that begins now, with its permit.
    pub(crate) fn admitted(metrics: Arc<Metrics>, admitted: AdmissionPermit) -> Self {
        Self::begin(metrics, Some(admitted))
    }

    /// A call that begins now, and that nothing limits.
    pub(crate) fn unlimited(metrics: Arc<Metrics>) -> Self {
        Self::begin(metrics, None)
    }

    fn begin(metrics: Arc<Metrics>, admitted: Option<AdmissionPermit>) -> Self {
        metrics.concurrent.inc();
        ActiveCall { metrics, begun: Instant::now(), _admitted: admitted }
    }
}

impl Drop for ActiveCall {
    fn drop(&mut self) {
        self.metrics.concurrent.dec();
        self.metrics.duration.observe(self.begun.elapsed().as_secs_f64());
    }
}
