//! Logs and metrics.

mod database;
mod metrics;

pub(crate) use database::DatabaseMetrics;
pub(crate) use metrics::{CONTENT_TYPE, Metrics};
