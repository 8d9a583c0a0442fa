//! Mistake `per-request-limits`.
//!
//! What is wrong: each call makes the limits that it passes: permits, a queue and a rate of its own. It takes the first
//! permit, which is always free, and the first call of the rate, which is always due. So nothing is limited.
//! Symptom: the vendor gets as many calls at once as there are requests, and answers 429 or gets slow. This server's
//! own figures say that all is well: no wait, an empty queue, and `/ready` always says yes.
//! Fix: fixed-server/src/state.rs, where permits, queue and rate are made once, at the start, and all calls share them.
//! Source: 001, section 3 ("If these are created per request, they do NOTHING"), which is right, as is its code.

use resilience::{Admission, AdmissionLimits};

use crate::api;
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Steps;
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "per-request-limits",
    group: Group::Calls,
    symptom: "the vendor gets all calls at once, whatever --max-in-flight and --rate-limit say, and nobody waits in the queue",
    limits: true,
    routes: |settings| Ok(api::routes(PerRequestLimits { limits: (Mistake::USUAL.admission)(settings) })),
    ..Mistake::USUAL
};

pub(crate) struct PerRequestLimits {
    limits: AdmissionLimits,
}

impl Steps for PerRequestLimits {
    // ANCHOR: per-request-limits
    fn admission(&self, _state: &AppState) -> Admission {
        // MISTAKE per-request-limits: the limits are right, and this call is the only one that they are for.
        Admission::new(self.limits)
    }
    // ANCHOR_END: per-request-limits
}
