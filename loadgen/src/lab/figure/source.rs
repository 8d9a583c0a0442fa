//! What all sources of figures have in common.

use std::fmt;

use super::place::Place;
use crate::result::{MetricName, RunResult, Unit};

/// A figure of one source. A new source is a file with one of these, and a method of [`Place`] that makes it.
pub trait Source: fmt::Debug + Send + Sync {
    /// Its value at `place`; `None` if nothing was measured.
    fn of(&self, place: &Place, result: &RunResult) -> Option<f64>;

    /// Whether a measurement was attempted: if all probes failed there is no latency, which is a finding.
    fn was_tried(&self, place: &Place, result: &RunResult) -> bool {
        self.of(place, result).is_some()
    }

    /// Whether it is a time, which a busy machine makes longer.
    fn is_latency(&self) -> bool {
        false
    }

    /// Its unit.
    fn unit(&self) -> Unit;

    /// The probe that the lab must have for it.
    fn probe(&self) -> Option<&str> {
        None
    }

    /// The metric that the engine must read from the server for it.
    fn metric(&self) -> Option<&MetricName> {
        None
    }
}
