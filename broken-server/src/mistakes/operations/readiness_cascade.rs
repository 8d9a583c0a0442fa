//! Mistake `readiness-cascade`.
//!
//! What is wrong: the server is not ready when more than half of its recent calls to the vendor failed. The vendor is
//! the same for all replicas, so its outage takes all of them out at once, with every route that works without it.
//! Recent are the last 20 calls, whenever they were: a replica that gets no requests makes none, and stays out.
//! Symptom: a short outage of the vendor, and the balancer has no replica left, also after the vendor is back.
//! Fix: fixed-server/src/api/ready.rs, which reads the state of this replica alone.
//! Source: 003, section 6: `if recent_error_rate() > 0.5` in `/ready`. It does not say what recent is.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;
use gateway::ActiveCall;
use resilience::{ErrorRate, Hysteresis};
use wire::outcome::Outcome;

use crate::api::{self, Checks, Routes, not_ready};
use crate::call::Call;
use crate::errors::{Failure, UpstreamFailure};
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::{Control, Steps};
use crate::settings::Settings;
use crate::state::{AppState, StartError};

pub(crate) const ENTRY: Mistake = Mistake {
    name: "readiness-cascade",
    group: Group::Operations,
    symptom: "when over half of the last 20 calls failed at the vendor, /ready is 503, and stays so without requests",
    limits: true,
    own_flags: &["error_window"],
    routes: |settings| routes(settings),
    ..Mistake::USUAL
};

/// Calls that count as recent.
const CALLS: usize = 20;
/// One failure of one call means little.
const CALLS_MIN: usize = 10;

fn routes(settings: &Settings) -> Result<Routes, StartError> {
    let recent = Arc::new(Recent::new(settings.own.error_window)?);
    let checked = Arc::clone(&recent);
    let checks = Checks::default().ready(move |state| ready(state, Arc::clone(&checked)));
    Ok(api::routes_with(Counting(recent), checks))
}

// ANCHOR: readiness-cascade
async fn ready(state: Data<AppState>, recent: Arc<Recent>) -> HttpResponse {
    // MISTAKE readiness-cascade: the vendor's failure is no state of this replica; the others are as bad.
    if recent.failing.update(recent.error_rate()) { not_ready("error rate") } else { api::ready(state).await }
}
// ANCHOR_END: readiness-cascade

/// The control's calls, counted.
struct Counting(Arc<Recent>);

impl Steps for Counting {
    async fn in_order<T, Answered: Future<Output = Result<T, Failure>>>(
        &self,
        state: &AppState,
        call: &Call,
        limit: (Duration, UpstreamFailure),
        ask_vendor: impl Fn() -> Answered,
    ) -> Result<(T, ActiveCall), Failure> {
        let answered = Control.in_order(state, call, limit, ask_vendor).await;
        let outcome = answered.as_ref().map_or_else(Failure::outcome, |_| Outcome::Success);
        if let Some(failed) = outcome.failed_by_vendor() {
            self.0.note(failed);
        }
        answered
    }
}

/// How the recent calls ended.
struct Recent {
    calls: Calls,
    failing: Hysteresis,
}

enum Calls {
    /// The last ones, whenever they were.
    Last(Mutex<VecDeque<bool>>),
    /// Those of a time span.
    Within(Box<ErrorRate>),
}

impl Recent {
    fn new(window: Option<Duration>) -> Result<Self, StartError> {
        let calls = match window {
            Some(span) => Calls::Within(Box::new(ErrorRate::new(span, CALLS_MIN as u64)?)),
            None => Calls::Last(Mutex::default()),
        };
        Ok(Recent { calls, failing: Hysteresis::new(0.5, 0.25) })
    }

    fn note(&self, failed: bool) {
        match &self.calls {
            Calls::Last(calls) => {
                let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
                calls.push_back(failed);
                if calls.len() > CALLS {
                    calls.pop_front();
                }
            }
            Calls::Within(rate) => rate.note(failed),
        }
    }

    fn error_rate(&self) -> f64 {
        match &self.calls {
            Calls::Last(calls) => {
                let calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
                let failed = calls.iter().filter(|failed| **failed).count();
                if calls.len() < CALLS_MIN { 0.0 } else { failed as f64 / calls.len() as f64 }
            }
            Calls::Within(rate) => rate.share(),
        }
    }
}
