//! The buckets of all durations.

use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

/// A histogram of seconds, from 1 ms to 65 s.
pub(crate) fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 17))
}
