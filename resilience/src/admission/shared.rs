//! What all handles on an admission share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::queue::{ClassId, Queue};
use crate::permits::Permits;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) permits: Permits,
    pub(super) max_queued: usize,
    pub(super) timeout: Duration,
    /// The names of the classes with a rate of their own, in the order of the queue.
    pub(super) classes: Vec<Arc<str>>,
    /// A std mutex: it is held for a few additions, never across an `.await`.
    queue: Mutex<Queue>,
}

impl Shared {
    pub(super) fn new(
        permits: Permits,
        max_queued: usize,
        timeout: Duration,
        classes: Vec<Arc<str>>,
        queue: Queue,
    ) -> Self {
        Shared { permits, max_queued, timeout, classes, queue: Mutex::new(queue) }
    }

    /// The class of this name: one with a rate of its own, or that of all others.
    pub(super) fn class(&self, name: Option<&str>) -> ClassId {
        let place = name.and_then(|name| self.classes.iter().position(|class| **class == *name));
        place.map_or(ClassId::NO_RATE, ClassId::with_rate)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while it is held, so a poisoned queue is still consistent.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
