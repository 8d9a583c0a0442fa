//! Mistakes in calls to the vendor: queues, limits, retries, timeouts, streams.

use crate::mistake::Mistake;

/// The mistakes of this group, in the order of the workshop.
pub(crate) const MISTAKES: &[Mistake] = &[];
