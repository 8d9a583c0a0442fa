//! A call to the vendor in flight, counted and settled however it ends.

use std::sync::Arc;

use gateway::LlmMetrics;
use resilience::AdmissionPermit;
use wire::completion::Usage;

use crate::call::Call;
use crate::sessions::SessionCall;

/// A call to the vendor in flight, from its permit to its end: for a stream, to the end of the stream.
#[derive(Debug)]
pub(crate) struct ActiveCall {
    counted: gateway::ActiveCall,
    prompt_tokens: u64,
    generated_tokens: u64,
    /// The tokens that the vendor reports. Without a report, the tokens sent and received count.
    usage: Option<Usage>,
    /// Gets the usage too, if the call has a session.
    session: Option<SessionCall>,
}

impl ActiveCall {
    /// A call that begins now, with its permit.
    pub(crate) fn new(metrics: Arc<LlmMetrics>, permit: AdmissionPermit, call: &Call) -> Self {
        ActiveCall {
            counted: gateway::ActiveCall::with_permit(metrics, permit),
            prompt_tokens: call.prompt_tokens,
            generated_tokens: 0,
            usage: None,
            session: call.session.clone(),
        }
    }

    /// Counts a token.
    pub(crate) fn token(&mut self) {
        self.generated_tokens += 1;
    }

    /// Notes how many tokens the vendor reports.
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
        self.counted.settle(self.usage.map_or(seen, |usage| usage.total_tokens));
    }
}
