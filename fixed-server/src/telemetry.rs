/// What is counted about the database.
mod database;
/// What is under way, counted when it ends, however it ends.
mod guards;
/// A log that stops nobody.
mod log_writer;
/// What is logged, and how.
mod logs;
/// What is counted: `/metrics`.
mod metrics;

pub(crate) use database::DatabaseMetrics;
pub(crate) use guards::{ActiveCall, OpenConnection, OpenStream, Unanswered};
pub use logs::{LogFilter, LogFormat, init};
pub(crate) use metrics::{CONTENT_TYPE, Metrics};
