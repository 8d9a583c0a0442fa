//! The right to run, held until it is dropped, and what the wait for it was for.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::shared::Shared;
use crate::permits::Permit;

/// The right to run, from the moment of being let in until this is dropped: at the end of the call,
/// or of its stream.
#[derive(Debug)]
#[must_use = "dropped at once, the call counts as over"]
pub struct AdmissionPermit {
    shared: Arc<Shared>,
    /// None while being dropped.
    permit: Option<Permit>,
    /// Tokens taken from the rate for it.
    reserved: u64,
    /// Tokens that it came to.
    used: Option<u64>,
    waited: QueueWait,
}

/// What a wait in the queue was for. Its two parts add up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueWait {
    /// Until the rates allowed it.
    pub for_rate: Duration,
    /// From then on: for a permit, and for those ahead to take theirs.
    pub for_permit: Duration,
}

impl QueueWait {
    pub(super) fn between(asked: Instant, rate_ready: Option<Instant>, admitted: Instant) -> Self {
        let whole = admitted - asked;
        let for_rate =
            rate_ready.map_or(Duration::ZERO, |ready_at| ready_at.saturating_duration_since(asked).min(whole));
        QueueWait { for_rate, for_permit: whole - for_rate }
    }
}

impl AdmissionPermit {
    pub(super) fn new(shared: Arc<Shared>, permit: Permit, reserved: u64, waited: QueueWait) -> Self {
        AdmissionPermit { shared, permit: Some(permit), reserved, used: None, waited }
    }

    /// How long it waited, and for what.
    #[must_use]
    pub fn queue_wait(&self) -> QueueWait {
        self.waited
    }

    /// Says how many tokens the call came to, as far as is known by now. At its end, what was reserved
    /// and not used is refunded, and what was used and not reserved is charged, for which later callers
    /// wait. Never told, the whole reserve counts as used.
    pub fn settle(&mut self, used: u64) {
        self.used = Some(used);
    }
}

impl Drop for AdmissionPermit {
    fn drop(&mut self) {
        // Before the line is locked: the permit takes no part in it.
        self.permit = None;
        let mut queue = self.shared.lock();
        if let Some(used) = self.used {
            queue.settle_tokens(self.reserved, used, Instant::now());
        }
        queue.tell_first();
    }
}
