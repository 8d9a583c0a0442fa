//! Mistake `limiter-inside-permit`.
//!
//! What is wrong: the permit and the rate limiter are two limits in a row. A call that has the first waits for the second
//! with it. With the permit first, calls of a model that has used up its rate hold the permits of all models while they
//! wait. With the rate first (`--waits-first-for rate`), a call has spent the rate when it gets no permit in time.
//! Symptom: one model over its rate makes the others as slow as itself, although the vendor has hardly any calls
//! (`llm_concurrent_calls` at the limit). With the rate first, `llm_rate_limit_taken_total` rises faster than the vendor
//! gets calls.
//! Fix: fixed-server/src/stack.rs, where the permit and the rates are taken at the same instant, or nothing is.
//! Source: 001, section 12, names "Rate limiter inside semaphore" among the mistakes, and is right. Its own order, in
//! sections 2 and 5, is the other one.
//! What is right: with the rate first no permit is held by a call that waits; and with one model, both orders answer as
//! many calls as the fix.

use std::num::NonZeroUsize;
use std::time::Duration;

use gateway::ActiveCall;
use resilience::{Admission, AdmissionError, AdmissionLimits, AdmissionPermit, QueueWait};
use tokio::time::{Instant, timeout};

use crate::api;
use crate::call::Call;
use crate::errors::Failure;
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Steps;
use crate::settings::{FirstLimit, Settings};
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "limiter-inside-permit",
    group: Group::Calls,
    symptom: "calls of a model over its rate hold the permits of all models while they wait (--model-rate-limit)",
    limits: true,
    own_flags: &["waits_first_for"],
    // The permits alone.
    admission: |settings| AdmissionLimits { requests: None, ..(Mistake::USUAL.admission)(settings) },
    model_rates: |_| Vec::new(),
    routes: |settings| Ok(api::routes(LimiterInsidePermit::new(settings))),
    ..Mistake::USUAL
};

pub(crate) struct LimiterInsidePermit {
    /// The rates alone: there is a permit for everybody.
    rates: Admission,
    first: FirstLimit,
}

impl LimiterInsidePermit {
    fn new(settings: &Settings) -> Self {
        let limits = AdmissionLimits { max_in_flight: NonZeroUsize::MAX, ..(Mistake::USUAL.admission)(settings) };
        let rates = Admission::with_classes(limits, settings.quota.kept_of_models());
        LimiterInsidePermit { rates, first: settings.own.waits_first_for }
    }

    /// Waits for the rates. Returns how long.
    async fn wait_for_rate(&self, state: &AppState, call: &Call) -> Result<Duration, AdmissionError> {
        let allowed = self.rates.admit_class(call.model.as_deref(), 0).await?;
        state.metrics.llm.rate_taken();
        Ok(allowed.queue_wait().for_rate)
    }
}

impl Steps for LimiterInsidePermit {
    async fn admit(&self, state: &AppState, call: &Call) -> Result<ActiveCall, Failure> {
        let (asked, waited) = (Instant::now(), state.limits.queue_timeout);
        let both = timeout(waited, self.one_after_the_other(state, call)).await;
        let admitted = both.unwrap_or(Err(AdmissionError::QueueTimeout { waited }));
        let for_rate = admitted.as_ref().ok().map(|(_, for_rate)| *for_rate);
        let whole = asked.elapsed();
        let parts = for_rate.map(|for_rate| QueueWait { for_rate, for_permit: whole.saturating_sub(for_rate) });
        state.metrics.llm.waited(whole, parts);
        let (permit, _) = admitted?;
        Ok(ActiveCall::with_permit(state.metrics.llm.clone(), permit))
    }
}

// ANCHOR: limiter-inside-permit
impl LimiterInsidePermit {
    /// A permit, and how long the wait for the rates was.
    async fn one_after_the_other(
        &self,
        state: &AppState,
        call: &Call,
    ) -> Result<(AdmissionPermit, Duration), AdmissionError> {
        // MISTAKE limiter-inside-permit: two limits in a row. In either order, a call waits for the second with the first.
        match self.first {
            FirstLimit::Permit => {
                let permit = state.admission.admit(0).await?;
                Ok((permit, self.wait_for_rate(state, call).await?))
            }
            FirstLimit::Rate => {
                let for_rate = self.wait_for_rate(state, call).await?;
                Ok((state.admission.admit(0).await?, for_rate))
            }
        }
    }
}
// ANCHOR_END: limiter-inside-permit
