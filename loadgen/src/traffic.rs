//! The traffic: what is sent, and when, and what clients do with the answers.

mod arrivals;
mod asked;
mod body;
mod body_template;
mod client;
mod cycle;
mod events;
mod excerpt;
mod exchange;
mod format;
mod gzip;
mod json_lines;
mod load_plan;
mod pieces;
mod rejection;
mod request;
mod running_load;
mod schedule;
mod whole_answer;

pub use arrivals::{Arrivals, spread};
pub use asked::asked;
pub use body_template::{BodyTemplate, BodyTemplateError};
pub use client::{Client, Reads};
pub use cycle::{CYCLE, CycleCall};
pub(crate) use excerpt::excerpt;
pub use exchange::{Exchange, NO_EVENT_STREAM};
pub use format::StreamFormat;
pub use load_plan::{LoadPlan, WarmUp};
pub use request::{CHAT, DEMO_KEY, ExpectedAnswer, Request};
pub use running_load::RunningLoad;
pub use schedule::{Schedule, Step};
