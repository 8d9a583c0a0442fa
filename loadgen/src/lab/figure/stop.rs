//! Figures of the end of a server that the lab asked to end.

use super::{Figure, Place, Source};
use crate::result::{RunResult, Unit};

/// A figure of the end of a server that was asked to end by a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopFigure {
    /// How long it was alive after the signal, in milliseconds: to its end, or to the end of the run.
    Alive,
    /// From the signal to its end, in milliseconds; none if it had not ended by the end of the run.
    Exit,
    /// Its exit code; none if it had not ended, or a signal ended it.
    ExitCode,
}

impl Source for StopFigure {
    fn of(&self, place: &Place, result: &RunResult) -> Option<f64> {
        let stop = place.arm_in(result)?.stop.as_ref()?;
        match self {
            StopFigure::Alive => Some(stop.alive_ms),
            StopFigure::Exit => stop.ended.then_some(stop.alive_ms),
            StopFigure::ExitCode => stop.exit_code.map(f64::from),
        }
    }

    /// A server that has not ended has no exit code, which is a finding.
    fn was_tried(&self, place: &Place, result: &RunResult) -> bool {
        place.arm_in(result).is_some_and(|arm| arm.stop.is_some())
    }

    fn is_latency(&self) -> bool {
        *self == StopFigure::Exit
    }

    fn unit(&self) -> Unit {
        match self {
            StopFigure::Alive | StopFigure::Exit => Unit::Milliseconds,
            StopFigure::ExitCode => Unit::NONE,
        }
    }
}

impl Place {
    /// A figure of the end of a server that was asked to end.
    #[must_use]
    pub fn stop(self, what: StopFigure) -> Figure {
        Figure::new(self, what)
    }
}
