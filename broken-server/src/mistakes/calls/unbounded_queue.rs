//! Mistake `unbounded-queue`.
//!
//! What is wrong: a request waits for its permit as long as it takes, in a queue of any length. Offered more than the
//! vendor can do, the server rejects nobody: the queue grows, and with it the wait, as long as the overload lasts. Once
//! the wait is longer than the clients' patience, each permit goes to a request whose client is about to leave, and the
//! vendor works all the time for nobody.
//! Symptom: no errors, the vendor fully used, `llm_queue_length` and `llm_semaphore_wait_seconds` growing, and
//! clients that get no answer any more. `--max-queued` and `--queue-timeout` have no effect.
//! Fix: fixed-server/src/state.rs, where the queue has a length and a timeout; a request whose predicted wait is over
//! the timeout is rejected at once, with `Retry-After`.
//! Source: 001 and 003 name it ("unlimited waiting"), and their queue timeout is right in principle. It alone rejects
//! nobody before it is over, and theirs covers the call too (lab queue-timeout-covers-call).

use std::time::Duration;

use resilience::AdmissionLimits;

use crate::api;
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Control;
use crate::settings::Settings;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "unbounded-queue",
    group: Group::Calls,
    symptom: "over capacity nobody is rejected, the wait grows, and soon no client stays long enough to be answered",
    limits: true,
    admission,
    routes: |_| Ok(api::routes(Control)),
    ..Mistake::USUAL
};

// ANCHOR: unbounded-queue
fn admission(Settings { limits, quota, .. }: &Settings) -> AdmissionLimits {
    AdmissionLimits {
        max_in_flight: limits.max_in_flight,
        // MISTAKE unbounded-queue: any number may wait, for any time.
        max_queued: usize::MAX,
        timeout: Duration::MAX,
        requests: quota.kept(),
        tokens: None,
    }
}
// ANCHOR_END: unbounded-queue
