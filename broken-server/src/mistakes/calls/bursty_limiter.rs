//! Mistake `bursty-limiter`.
//!
//! What is wrong: the rate limiter is a token bucket as large as the vendor's quota, and is refilled at the quota's rate.
//! After a pause it is full: all of it may go at once, and in the same interval nearly as much again is refilled. The
//! vendor allows 20 calls in any second and gets 39.
//! Symptom: after each pause the vendor answers about half of the calls 429, although all of them waited for a limiter
//! with the right numbers in it. `llm_rate_limit_wait_seconds` is near zero just then. `--rate-burst` has no effect.
//! Fix: fixed-server/src/state.rs, where the rate is such that a small burst and what follows it evenly are together no
//! more than the quota, in every window of its length.
//! Source: 001, section 3: `AsyncLimiter(60, 60)` for 60 calls a minute. The bucket of that library holds 60.
//! What is right: in the long run it lets no more through than the quota.

use std::num::NonZeroU64;

use gateway::Quota;
use resilience::{AdmissionLimits, Rate};

use crate::api;
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Control;
use crate::settings::Settings;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "bursty-limiter",
    group: Group::Calls,
    symptom: "after each pause the vendor gets twice its quota in one interval, and answers 429 (--rate-limit)",
    limits: true,
    admission,
    routes: |_| Ok(api::routes(Control)),
    ..Mistake::USUAL
};

fn admission(settings: &Settings) -> AdmissionLimits {
    AdmissionLimits { requests: settings.quota.rate_limit.0.map(bucket), ..(Mistake::USUAL.admission)(settings) }
}

// ANCHOR: bursty-limiter
/// A token bucket for `quota`: a rate, and how much of it may be used at once.
fn bucket(quota: Rate) -> Quota {
    // MISTAKE bursty-limiter: the bucket holds the whole quota. It is full after a pause, and what is refilled while it
    // is emptied comes on top.
    (quota, NonZeroU64::new(quota.amount()).unwrap_or(NonZeroU64::MIN))
}
// ANCHOR_END: bursty-limiter
