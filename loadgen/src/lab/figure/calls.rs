//! Figures of non-streaming calls.

use super::{Figure, Place, Source};
use crate::result::{Quantile, RunResult, StreamStats, Unit};

/// A figure of non-streaming calls: of those of the phase, or of one of its loads alone ([`Place::load`]).
#[derive(Debug, Clone, Copy)]
pub enum CallFigure {
    /// Calls that were due.
    Requested,
    /// Answered 2xx.
    Answered,
    /// Answered 2xx per second, while the phase was measured.
    AnsweredPerSecond,
    /// Answered with this HTTP status.
    Status(u16),
    /// Closed by their client before they were answered.
    Disconnected,
    /// Answered with a valid `Retry-After`.
    WithRetryAfter,
    /// From when a call was due to its complete answer, in milliseconds.
    Latency(Quantile),
    /// The same of calls that were answered with another status than 2xx.
    RejectionLatency(Quantile),
}

impl CallFigure {
    /// Its value; `None` for a latency if no call was answered so.
    fn of(self, calls: &StreamStats) -> Option<f64> {
        let rejected = || calls.by_status.keys().any(|status| !status.starts_with('2'));
        let status = |status: u16| calls.by_status.get(&status.to_string()).copied().unwrap_or(0);
        match self {
            CallFigure::Requested => Some(calls.requested as f64),
            CallFigure::Answered => Some(calls.completed as f64),
            CallFigure::AnsweredPerSecond => Some(calls.completed_per_second),
            CallFigure::Status(code) => Some(status(code) as f64),
            CallFigure::Disconnected => Some(calls.disconnected as f64),
            CallFigure::WithRetryAfter => Some(calls.with_retry_after as f64),
            CallFigure::Latency(quantile) => (calls.completed > 0).then(|| calls.latency_ms.at(quantile)),
            CallFigure::RejectionLatency(quantile) => rejected().then(|| calls.rejection_latency_ms.at(quantile)),
        }
    }
}

impl Source for CallFigure {
    fn of(&self, place: &Place, result: &RunResult) -> Option<f64> {
        CallFigure::of(*self, place.calls_in(result)?)
    }

    /// If no call was answered there is no latency, which is a finding.
    fn was_tried(&self, place: &Place, result: &RunResult) -> bool {
        place.calls_in(result).is_some_and(|calls| calls.requested > 0)
    }

    fn is_latency(&self) -> bool {
        matches!(self, CallFigure::Latency(_) | CallFigure::RejectionLatency(_))
    }

    fn unit(&self) -> Unit {
        match self {
            CallFigure::Latency(_) | CallFigure::RejectionLatency(_) => Unit::Milliseconds,
            CallFigure::AnsweredPerSecond => Unit::count("calls/s"),
            _ => Unit::CALLS,
        }
    }
}

impl Place {
    /// A figure of the non-streaming calls.
    #[must_use]
    pub fn calls(self, what: CallFigure) -> Figure {
        Figure::new(self, what)
    }

    fn calls_in<'a>(&self, result: &'a RunResult) -> Option<&'a StreamStats> {
        let phase = self.phase_in(result)?;
        match &self.load {
            Some(load) => phase.loads.get(load),
            None => phase.calls.as_ref(),
        }
    }
}
