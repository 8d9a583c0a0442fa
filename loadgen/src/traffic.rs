//! The traffic: what is sent, and when.

mod arrivals;
mod call_set;
mod client;
mod cycle;
mod excerpt;
mod request;
mod schedule;
mod stream;
mod stream_set;
mod whole_answer;
mod whole_call;

pub use arrivals::{Arrivals, spread};
pub use call_set::{CallLog, CallPlan, CallSet};
pub use client::{Client, Reads};
pub use cycle::{CYCLE, CycleCall};
pub use request::{ExpectedAnswer, Request};
pub use schedule::{Schedule, Step};
pub use stream::{Disconnect, NO_EVENT_STREAM, StreamPlan, open_stream};
pub use stream_set::{LoadShape, StreamSet};
pub use whole_call::{CallAnswer, WholeCallPlan, make_call};
