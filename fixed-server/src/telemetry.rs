//! Logs and metrics.

mod metrics;

pub(crate) use metrics::{Gauges, Metrics};
