//! Figures of streams.

use std::collections::BTreeMap;

use super::{Figure, Place, Source};
use crate::result::{RunResult, StreamStats, Unit};

/// A figure of streams.
#[derive(Debug, Clone, Copy)]
pub enum StreamFigure {
    /// Completed.
    Completed,
    /// Failed, truncated or stalled.
    Lost,
    /// Ended after a 200, neither complete nor with an error event.
    Truncated,
    /// Failed for this cause.
    Failure(&'static str),
    /// Closed by the client.
    Disconnected,
    /// Answered with this HTTP status.
    Status(&'static str),
    /// Answered with this `X-Stream-Method`.
    Method(&'static str),
}

impl StreamFigure {
    fn of(self, streams: &StreamStats) -> f64 {
        let counted = |by: &BTreeMap<String, u64>, key: &str| by.get(key).copied().unwrap_or(0);
        (match self {
            StreamFigure::Completed => streams.completed,
            StreamFigure::Lost => streams.lost(),
            StreamFigure::Truncated => streams.truncated,
            StreamFigure::Failure(cause) => counted(&streams.failures, cause),
            StreamFigure::Disconnected => streams.disconnected,
            StreamFigure::Status(status) => counted(&streams.by_status, status),
            StreamFigure::Method(method) => counted(&streams.by_method, method),
        }) as f64
    }
}

impl Source for StreamFigure {
    fn of(&self, place: &Place, result: &RunResult) -> Option<f64> {
        if place.phase.is_none() {
            let phases = place.arm_in(result)?.phases.iter().filter_map(|phase| phase.streams.as_ref());
            return Some(phases.map(|streams| StreamFigure::of(*self, streams)).sum());
        }
        Some(StreamFigure::of(*self, place.phase_in(result)?.streams.as_ref()?))
    }

    fn unit(&self) -> Unit {
        Unit::STREAMS
    }
}

impl Place {
    /// A figure of the streams that the phase opened; of all streams for the whole run.
    #[must_use]
    pub fn streams(self, what: StreamFigure) -> Figure {
        Figure::new(self, what)
    }
}
