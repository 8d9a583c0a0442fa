/// What is counted about the database.
mod database;
/// What is under way, counted when it ends, however it ends.
mod guards;
/// How many lines of the log were lost.
mod log_lines;
/// What is counted: `/metrics`.
mod metrics;

pub(crate) use database::DatabaseMetrics;
pub(crate) use guards::{ActiveCall, OpenConnection, OpenStream, Unanswered};
pub(crate) use metrics::{CONTENT_TYPE, Metrics};
