//! Limits how many answers are generated at the same time, like the batch of an inference server.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Slots for generating answers. When all are in use, requests wait, first come, first served.
#[derive(Debug)]
pub(crate) struct GenerationSlots {
    /// `None` without a limit.
    limit: Option<(Arc<Semaphore>, u32)>,
    slowdown: f64,
}

/// A slot in use, or `None` without a limit.
pub(crate) type SlotPermit = Option<OwnedSemaphorePermit>;

impl GenerationSlots {
    pub(crate) fn new(slots: Option<u32>, slowdown: f64) -> Self {
        let limit = slots.map(|slots| (Arc::new(Semaphore::new(slots as usize)), slots));
        GenerationSlots { limit, slowdown }
    }

    /// A slot, if one is free and no request waits for it.
    pub(crate) fn try_acquire(&self) -> Option<SlotPermit> {
        match &self.limit {
            None => Some(None),
            Some((free, _)) => Arc::clone(free).try_acquire_owned().ok().map(Some),
        }
    }

    /// Waits for a slot.
    pub(crate) async fn acquire(&self) -> SlotPermit {
        let (free, _) = self.limit.as_ref()?;
        // An error would mean that the semaphore is closed, which never happens.
        Arc::clone(free).acquire_owned().await.ok()
    }

    /// Factor of the delays at this moment: 1 when no slot is in use, the configured factor when all are.
    pub(crate) fn slowdown(&self) -> f64 {
        match &self.limit {
            Some((free, slots)) if self.slowdown > 1.0 => {
                let in_use = 1.0 - free.available_permits() as f64 / f64::from(*slots);
                1.0 + (self.slowdown - 1.0) * in_use
            }
            _ => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slowdown_grows_with_the_share_of_slots_in_use() {
        let slots = GenerationSlots::new(Some(4), 3.0);
        assert_eq!(slots.slowdown(), 1.0);
        let taken: Vec<SlotPermit> = (0..2).map(|_| slots.try_acquire().unwrap()).collect();
        assert_eq!(slots.slowdown(), 2.0);
        let more: Vec<SlotPermit> = (0..2).map(|_| slots.try_acquire().unwrap()).collect();
        assert_eq!(slots.slowdown(), 3.0);
        assert!(slots.try_acquire().is_none());
        drop((taken, more));
        assert_eq!(slots.slowdown(), 1.0);
    }

    #[test]
    fn without_slots_there_is_no_limit_and_no_slowdown() {
        let slots = GenerationSlots::new(None, 1.0);
        let taken: Vec<SlotPermit> = (0..100).map(|_| slots.try_acquire().unwrap()).collect();
        assert_eq!((taken.len(), slots.slowdown()), (100, 1.0));
    }
}
