//! One file for each mistake, and the control.

/// The control: nothing is wrong.
pub(crate) mod none;
pub(crate) mod threads;
