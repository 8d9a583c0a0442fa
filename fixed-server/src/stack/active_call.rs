//! A call to the vendor under way, counted and settled when it ends, however it ends.

use std::sync::Arc;

use gateway::LlmMetrics;
use resilience::AdmissionPermit;
use wire::completion::Usage;

use crate::call::Call;
use crate::sessions::SessionCall;

/// A call to the vendor under way, from its permit to its end: of a stream, to the end of the stream.
#[derive(Debug)]
pub(crate) struct ActiveCall {
    counted: gateway::ActiveCall,
    prompt_tokens: u64,
    generated_tokens: u64,
    /// How many tokens the vendor says that the call used; without that, what was sent and received counts.
    usage: Option<Usage>,
    /// Learns the same.
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
        self.counted.settle(self.usage.map_or(seen, |usage| usage.total_tokens));
    }
}
