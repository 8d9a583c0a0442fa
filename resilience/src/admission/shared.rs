//! What all handles on an admission share.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::queue::Queue;
use crate::permits::Permits;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) permits: Permits,
    pub(super) max_queued: usize,
    pub(super) timeout: Duration,
    /// A std mutex: it is held for a few additions, never across an `.await`.
    queue: Mutex<Queue>,
}

impl Shared {
    pub(super) fn new(permits: Permits, max_queued: usize, timeout: Duration, queue: Queue) -> Self {
        Shared { permits, max_queued, timeout, queue: Mutex::new(queue) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while it is held, so a poisoned queue is still consistent.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
