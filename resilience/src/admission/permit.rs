//! The permit to run, and what its caller waited for.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::shared::Shared;
use crate::permits::Permit;

/// The permit to run, held until it is dropped: at the end of the call, or of its stream.
#[derive(Debug)]
#[must_use = "dropping it ends the call"]
pub struct AdmissionPermit {
    shared: Arc<Shared>,
    /// `None` while being dropped.
    permit: Option<Permit>,
    /// Tokens taken from the rate at admission.
    reserved: u64,
    /// Tokens actually used, once known.
    used: Option<u64>,
    waited: QueueWait,
}

/// A wait in the queue, split by what it was for. The two parts add up to the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueWait {
    /// Until the rates allowed the call.
    pub for_rate: Duration,
    /// From then on: for a permit, behind the callers ahead.
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

    /// How long the caller waited, and for what.
    #[must_use]
    pub fn queue_wait(&self) -> QueueWait {
        self.waited
    }

    /// Sets how many tokens the call has used, as far as is known. When this is dropped, tokens reserved and not used
    /// are refunded; tokens used and not reserved are charged, and later callers wait for them. Without it the whole
    /// reservation counts as used.
    pub fn settle(&mut self, used: u64) {
        self.used = Some(used);
    }
}

impl Drop for AdmissionPermit {
    fn drop(&mut self) {
        // Returned before the queue is locked, so that the first in the queue finds it.
        self.permit = None;
        let mut queue = self.shared.lock();
        if let Some(used) = self.used {
            queue.settle_tokens(self.reserved, used, Instant::now());
        }
        queue.wake_first();
    }
}
