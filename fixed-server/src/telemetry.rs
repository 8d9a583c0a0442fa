/// What is logged, and how.
mod logs;
/// What is counted: `/metrics`.
mod metrics;

pub use logs::{LogFilter, LogFormat, init};
pub(crate) use metrics::{CONTENT_TYPE, Metrics, OpenStream};
