//! One file for each mistake, and the control.

pub(crate) mod calls;
/// The control: nothing is wrong.
pub(crate) mod none;
pub(crate) mod operations;
pub(crate) mod threads;
