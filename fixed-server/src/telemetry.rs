//! Logs and metrics.

mod metrics;

pub(crate) use metrics::{CONTENT_TYPE, Metrics};
