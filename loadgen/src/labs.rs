//! The labs, each as data in a file of its own.

mod pool_exhaustion;

use crate::lab::Lab;

/// All labs, in the order of the workshop.
pub const LABS: &[&Lab] = &[&pool_exhaustion::LAB];

/// The lab of the demo.
pub const DEMO: &Lab = &pool_exhaustion::LAB;
