//! Logs and metrics.

mod database;
mod guards;
mod metrics;

pub(crate) use database::DatabaseMetrics;
pub(crate) use guards::{ActiveCall, OpenConnection, OpenStream, Unanswered};
pub(crate) use metrics::{CONTENT_TYPE, Metrics};
