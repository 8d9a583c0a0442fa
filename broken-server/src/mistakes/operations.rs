//! Mistakes in operation: health checks, restarts, shutdown, databases, balancers.

use crate::mistake::Mistake;

/// The mistakes of this group, in the order of the workshop.
pub(crate) const MISTAKES: &[Mistake] = &[];
