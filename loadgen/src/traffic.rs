//! What is sent, and when.

/// When streams are due.
mod arrivals;
/// Calls that are answered in one piece.
mod calls;
/// Sets of streams: opened together, kept at a number, or arriving at a rate.
mod crowd;
/// One stream, from the request to its last byte.
mod stream;
/// Answers that are no streams.
mod whole;

pub use arrivals::{Arrivals, spread};
pub use calls::{CallCrowd, CallLog, CallPlan};
pub use crowd::{Crowd, LoadShape};
pub use stream::{Answer, Leaving, NO_EVENT_STREAM, StreamPlan, open_stream};
