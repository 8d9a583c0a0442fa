//! What is sent, and when.

mod arrivals;
/// Calls that are answered in one piece.
mod calls;
mod crowd;
mod stream;
/// Answers that are no streams.
mod whole;

pub use arrivals::{Arrivals, spread};
pub use calls::{CallCrowd, CallLog, CallPlan};
pub use crowd::{Crowd, LoadShape};
pub use stream::{Answer, Leaving, NO_EVENT_STREAM, StreamPlan, open_stream};
