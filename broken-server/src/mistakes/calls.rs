//! Mistakes in calls to the vendor: queues, limits, retries, timeouts, streams.

use crate::mistake::Mistake;

pub(crate) mod one_error_for_all;
pub(crate) mod slow_reader;

/// The mistakes of this group, in the order of the workshop.
pub(crate) const MISTAKES: &[Mistake] = &[one_error_for_all::ENTRY, slow_reader::ENTRY];
