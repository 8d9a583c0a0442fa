//! A call to the vendor under way, counted and settled when it ends, however it ends.

use std::sync::Arc;
use std::time::Instant;

use resilience::AdmissionPermit;
use wire::completion::Usage;

use crate::call::Call;
use crate::sessions::SessionCall;
use crate::telemetry::Metrics;

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
