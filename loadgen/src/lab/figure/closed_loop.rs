//! Figures of a closed loop.

use super::{Figure, Place, Source};
use crate::result::{Quantile, RunResult, Unit};

/// A figure of a closed loop.
#[derive(Debug, Clone, Copy)]
pub enum ClosedLoopFigure {
    /// The latency from when the request was sent, in milliseconds.
    Latency(Quantile),
    /// The mean latency, in milliseconds.
    Mean,
}

impl Source for ClosedLoopFigure {
    fn of(&self, place: &Place, result: &RunResult) -> Option<f64> {
        let stats = place.phase_in(result)?.closed_loop.as_ref().filter(|stats| stats.sent > 0)?;
        Some(match self {
            ClosedLoopFigure::Latency(quantile) => stats.latency_ms.at(*quantile),
            ClosedLoopFigure::Mean => stats.mean_ms,
        })
    }

    fn is_latency(&self) -> bool {
        true
    }

    fn unit(&self) -> Unit {
        Unit::Milliseconds
    }
}

impl Place {
    /// A figure of the closed-loop probe.
    #[must_use]
    pub fn closed_loop(self, what: ClosedLoopFigure) -> Figure {
        Figure::new(self, what)
    }
}
