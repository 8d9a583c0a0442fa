//! What a service needs around its calls to something slow, one idea a file.
//!
//! Nothing here knows HTTP, or who is called. All of it runs on tokio's clock, so that a test can
//! pause it. What is held is a guard, and what must happen happens in its `Drop`: a future that is
//! dropped halfway, because its client left or its time was up, leaves nothing behind.
//!
//! Read in this order:

/// A bounded, timed, first-come-first-served queue in front of the permits.
pub mod admission;
/// One point in time by which all of a request's work must be over.
pub mod deadline;
/// A switch that does not flutter: on above one mark, off below a lower one.
pub mod hysteresis;
/// A guard that records exactly one outcome, whatever happens to the code that holds it.
pub mod outcome;
/// A limit on how much runs at once, as guards that give themselves back.
pub mod permits;

pub use admission::{Admission, Load, QueueLimits, Rejected};
pub use deadline::{Deadline, DeadlinePassed};
pub use hysteresis::Hysteresis;
pub use outcome::OutcomeGuard;
pub use permits::{Permit, Permits};
