//! A call to the vendor under way.

use std::sync::Arc;
use std::time::Instant;

use resilience::AdmissionPermit;

use crate::llm_metrics::LlmMetrics;

/// A call to the vendor under way, until it is dropped: from its permit, or where there is none from its request, to its
/// end. Of a stream, to the end of the stream.
#[derive(Debug)]
pub struct ActiveCall {
    metrics: Arc<LlmMetrics>,
    begun: Instant,
    permit: Option<AdmissionPermit>,
}

impl ActiveCall {
    /// A call that begins now, with its permit.
    #[must_use]
    pub fn with_permit(metrics: Arc<LlmMetrics>, permit: AdmissionPermit) -> Self {
        Self::begin(metrics, Some(permit))
    }

    /// A call that begins now, and that nothing limits.
    #[must_use]
    pub fn without_permit(metrics: Arc<LlmMetrics>) -> Self {
        Self::begin(metrics, None)
    }

    fn begin(metrics: Arc<LlmMetrics>, permit: Option<AdmissionPermit>) -> Self {
        metrics.call_begun();
        ActiveCall { metrics, begun: Instant::now(), permit }
    }

    /// The call used this many tokens of the quota, in place of those that it reserved.
    pub fn settle(&mut self, tokens: u64) {
        if let Some(permit) = &mut self.permit {
            permit.settle(tokens);
        }
    }
}

impl Drop for ActiveCall {
    fn drop(&mut self) {
        self.metrics.call_ended(self.begun.elapsed());
    }
}
