//! The traffic: what is sent, and when.

mod arrivals;
mod call_set;
mod stream;
mod stream_set;
mod whole_answer;

pub use arrivals::{Arrivals, spread};
pub use call_set::{CallLog, CallPlan, CallSet};
pub use stream::{Disconnect, ExpectedAnswer, NO_EVENT_STREAM, StreamPlan, open_stream};
pub use stream_set::{LoadShape, StreamSet};
