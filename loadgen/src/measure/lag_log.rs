//! How late the generator itself was.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Latencies;
use crate::result::Generator;

/// How late the generator sent probes and streams.
#[derive(Debug, Default)]
pub struct LagLog {
    latencies: Mutex<Latencies>,
    not_sent: AtomicU64,
}

impl LagLog {
    /// Records how late something was sent.
    pub fn record(&self, late: Duration) {
        self.latencies.lock().unwrap_or_else(PoisonError::into_inner).record(late);
    }

    /// Counts a probe or a stream for which this process had no descriptor or port.
    pub fn not_sent(&self) {
        self.not_sent.fetch_add(1, Relaxed);
    }

    /// The figures for the result.
    #[must_use]
    pub fn generator(&self) -> Generator {
        let (schedule_lag_ms, not_sent) = (self.latencies().quantiles(), self.not_sent.load(Relaxed));
        Generator { schedule_lag_ms, not_sent, ..Generator::default() }
    }

    /// The distribution so far.
    #[must_use]
    pub fn latencies(&self) -> Latencies {
        self.latencies.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
