//! How many lines of the log were dropped, as a metric.

use std::fmt;

use program::logs::lines_dropped;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;

/// `log_lines_dropped_total`, read where it is counted: the log starts before the metrics and is independent of them.
#[derive(Debug)]
pub struct LogLinesDropped;

impl Collector for LogLinesDropped {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        const HELP: &str = "Log lines that were dropped because nobody reads them";
        let counter = ConstCounter::new(lines_dropped());
        counter.encode(encoder.encode_descriptor("log_lines_dropped", HELP, None, counter.metric_type())?)
    }
}
