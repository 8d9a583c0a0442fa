//! How many workers the watchdog has killed, as a metric.

use std::fmt;

use program::watchdog::workers_killed;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;

/// `workers_killed_total`. A worker that is killed takes its metrics with it, so the watchdog counts, and each worker
/// shows how many there were before it.
#[derive(Debug)]
pub struct WorkersKilled;

impl Collector for WorkersKilled {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        const HELP: &str = "Workers that the watchdog killed because their event loop sent no heartbeat";
        let counter = ConstCounter::new(workers_killed());
        counter.encode(encoder.encode_descriptor("workers_killed", HELP, None, counter.metric_type())?)
    }
}
