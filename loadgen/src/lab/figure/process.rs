//! Figures of the processes of an arm in a phase.

use super::{Figure, Place, Source};
use crate::result::{Level, RunResult, Unit};

/// A figure of the processes of an arm, all together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessFigure {
    /// Share of one processor that they used in the measurement.
    Cores,
    /// Processor time in the measurement, in milliseconds.
    CpuMs,
    /// Resident memory in MB of a million bytes, in the whole phase.
    Memory(LevelFigure),
    /// Threads, in the whole phase.
    Threads(LevelFigure),
    /// Open descriptors, in the whole phase.
    Descriptors(LevelFigure),
}

/// A figure of a level in a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LevelFigure {
    /// Before the phase's loads began.
    Start,
    /// The highest.
    Peak,
    /// At the end of the phase.
    End,
    /// The end minus the start; negative if it fell.
    Growth,
}

impl LevelFigure {
    fn of(self, level: Level) -> f64 {
        match self {
            LevelFigure::Start => level.start as f64,
            LevelFigure::Peak => level.peak as f64,
            LevelFigure::End => level.end as f64,
            LevelFigure::Growth => level.growth(),
        }
    }
}

impl Source for ProcessFigure {
    fn of(&self, place: &Place, result: &RunResult) -> Option<f64> {
        const MB: f64 = 1e6;
        let phase = place.phase_in(result)?;
        match self {
            ProcessFigure::Cores => phase.cpu_cores,
            ProcessFigure::CpuMs => phase.cpu_cores.map(|cores| cores * (phase.to_ms - phase.from_ms)),
            ProcessFigure::Memory(what) => Some(what.of(phase.process?.rss_bytes?) / MB),
            ProcessFigure::Threads(what) => Some(what.of(phase.process?.threads?)),
            ProcessFigure::Descriptors(what) => Some(what.of(phase.process?.fds?)),
        }
    }

    fn unit(&self) -> Unit {
        match self {
            ProcessFigure::Cores => Unit::Cores,
            ProcessFigure::CpuMs => Unit::Milliseconds,
            ProcessFigure::Memory(_) => Unit::count("MB"),
            ProcessFigure::Threads(_) => Unit::THREADS,
            ProcessFigure::Descriptors(_) => Unit::count("descriptors"),
        }
    }
}

impl Place {
    /// A figure of the processes of the arm.
    #[must_use]
    pub fn process(self, what: ProcessFigure) -> Figure {
        Figure::new(self, what)
    }

    /// Share of one processor that the server used.
    #[must_use]
    pub fn cpu_cores(self) -> Figure {
        self.process(ProcessFigure::Cores)
    }
}
