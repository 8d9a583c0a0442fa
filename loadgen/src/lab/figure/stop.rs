//! Figures of the end of a server that the lab asked to end.

use crate::result::ServerStop;

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

impl StopFigure {
    /// Its value.
    pub(super) fn of(self, stop: &ServerStop) -> Option<f64> {
        match self {
            StopFigure::Alive => Some(stop.alive_ms),
            StopFigure::Exit => stop.ended.then_some(stop.alive_ms),
            StopFigure::ExitCode => stop.exit_code.map(f64::from),
        }
    }

    pub(super) fn unit(self) -> &'static str {
        match self {
            StopFigure::Alive | StopFigure::Exit => "ms",
            StopFigure::ExitCode => "exit code",
        }
    }
}
