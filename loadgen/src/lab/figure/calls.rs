//! Figures of non-streaming calls.

use super::{Figure, Place, Source};
use crate::result::{Quantile, RunResult, Unit};

/// A figure of non-streaming calls.
#[derive(Debug, Clone, Copy)]
pub enum CallFigure {
    /// Answered 2xx.
    Answered,
    /// From when a call was due to its complete answer, in milliseconds.
    Latency(Quantile),
}

impl Source for CallFigure {
    fn of(&self, place: &Place, result: &RunResult) -> Option<f64> {
        let calls = place.phase_in(result)?.calls.as_ref()?;
        match self {
            CallFigure::Answered => Some(calls.completed as f64),
            CallFigure::Latency(quantile) => (calls.completed > 0).then(|| calls.latency_ms.at(*quantile)),
        }
    }

    /// If no call was answered there is no latency, which is a finding.
    fn was_tried(&self, place: &Place, result: &RunResult) -> bool {
        place.phase_in(result).and_then(|phase| phase.calls.as_ref()).is_some_and(|calls| calls.requested > 0)
    }

    fn is_latency(&self) -> bool {
        matches!(self, CallFigure::Latency(_))
    }

    fn unit(&self) -> Unit {
        match self {
            CallFigure::Answered => Unit::CALLS,
            CallFigure::Latency(_) => Unit::Milliseconds,
        }
    }
}

impl Place {
    /// A figure of the non-streaming calls.
    #[must_use]
    pub fn calls(self, what: CallFigure) -> Figure {
        Figure::new(self, what)
    }
}
