//! Figures of a result: where, and what.

mod arm;
mod deployment;
mod kinds;
mod place;
mod source;
mod stop;
mod table;

use std::time::Duration;

use crate::result::{Quantile, RunResult};

pub use arm::ArmFigure;
pub use deployment::DeploymentFigure;
pub use kinds::{CallFigure, ClosedLoopFigure, ProbeFigure, StreamFigure, VendorFigure};
pub use place::{Place, at, whole_run};
pub use source::Source;
pub use stop::StopFigure;
pub use table::TableFigure;

/// A figure of a result.
#[derive(Debug, Clone)]
pub enum Figure {
    /// One that was measured.
    Measured(Place, Source),
    /// One divided by another.
    Ratio(Box<Figure>, Box<Figure>),
    /// The smaller of two figures of one arm: both must be true at the same time.
    Both(Box<Figure>, Box<Figure>),
    /// A latency in a unit that the lab defines: token gaps, durations of a stream.
    In {
        /// The latency.
        latency: Box<Figure>,
        /// The unit.
        unit: Duration,
        /// The unit's name in output.
        name: &'static str,
    },
}

impl Place {
    /// A figure of the probe of this name.
    #[must_use]
    pub fn probe(self, name: &'static str, what: ProbeFigure) -> Figure {
        Figure::Measured(self, Source::Probe(name, what))
    }

    /// The median latency of a probe.
    #[must_use]
    pub fn p50(self, probe: &'static str) -> Figure {
        self.probe(probe, ProbeFigure::Latency(Quantile::P50))
    }

    /// The 90th percentile of a probe's latency: with few probes in a phase, the 99th is a single one, which may have
    /// met a busy machine.
    #[must_use]
    pub fn p90(self, probe: &'static str) -> Figure {
        self.probe(probe, ProbeFigure::Latency(Quantile::P90))
    }

    /// The 99th percentile of a probe's latency.
    #[must_use]
    pub fn p99(self, probe: &'static str) -> Figure {
        self.probe(probe, ProbeFigure::Latency(Quantile::P99))
    }

    /// The slowest answer to a probe.
    #[must_use]
    pub fn slowest(self, probe: &'static str) -> Figure {
        self.probe(probe, ProbeFigure::Latency(Quantile::Max))
    }

    /// A figure of the closed-loop probe.
    #[must_use]
    pub fn closed_loop(self, what: ClosedLoopFigure) -> Figure {
        Figure::Measured(self, Source::ClosedLoop(what))
    }

    /// A figure of the streams.
    #[must_use]
    pub fn streams(self, what: StreamFigure) -> Figure {
        Figure::Measured(self, Source::Streams(what))
    }

    /// A figure of the non-streaming calls.
    #[must_use]
    pub fn calls(self, what: CallFigure) -> Figure {
        Figure::Measured(self, Source::Calls(what))
    }

    /// A figure of the vendor's ledger.
    #[must_use]
    pub fn vendor(self, what: VendorFigure) -> Figure {
        Figure::Measured(self, Source::Vendor(what))
    }

    /// Share of one processor that the server used.
    #[must_use]
    pub fn cpu_cores(self) -> Figure {
        Figure::Measured(self, Source::CpuCores)
    }

    /// A figure of the table of the phase's cases.
    #[must_use]
    pub fn table(self, what: TableFigure) -> Figure {
        Figure::Measured(self, Source::Table(what))
    }

    /// A figure of the end of a server that was asked to end.
    #[must_use]
    pub fn stop(self, what: StopFigure) -> Figure {
        Figure::Measured(self, Source::Stop(what))
    }

    /// A figure of the server's processes.
    #[must_use]
    pub fn deployment(self, what: DeploymentFigure) -> Figure {
        Figure::Measured(self, Source::Deployment(what))
    }

    /// A figure of the arm as a whole.
    #[must_use]
    pub fn of_arm(self, what: ArmFigure) -> Figure {
        Figure::Measured(self, Source::Arm(what))
    }
}

impl Figure {
    /// This figure divided by `under`.
    #[must_use]
    pub fn over(self, under: Figure) -> Self {
        Figure::Ratio(Box::new(self), Box::new(under))
    }

    /// The smaller of this figure and `other`.
    #[must_use]
    pub fn both(self, other: Figure) -> Self {
        Figure::Both(Box::new(self), Box::new(other))
    }

    /// A latency in units of this duration: `gaps`, `of a stream`.
    #[must_use]
    pub fn in_units_of(self, unit: Duration, name: &'static str) -> Self {
        Figure::In { latency: Box::new(self), unit, name }
    }

    /// Its value in `result`; `None` if nothing was measured.
    #[must_use]
    pub fn of(&self, result: &RunResult) -> Option<f64> {
        match self {
            Figure::Measured(place, source) => source.of(place, result),
            Figure::Both(one, other) => Some(one.of(result)?.min(other.of(result)?)),
            Figure::Ratio(over, under) => {
                let under = under.of(result).filter(|under| *under > 0.0)?;
                Some(over.of(result)? / under)
            }
            Figure::In { latency, unit, .. } => Some(latency.of(result)? / (unit.as_secs_f64() * 1000.0)),
        }
    }

    /// Whether a measurement was attempted: if all probes failed there is no latency, which is a finding.
    #[must_use]
    pub fn was_tried(&self, result: &RunResult) -> bool {
        self.measured().iter().all(|(place, source)| source.was_tried(place, result))
    }

    /// What is measured for it, and where.
    #[must_use]
    pub fn measured(&self) -> Vec<(&Place, &Source)> {
        match self {
            Figure::Measured(place, source) => vec![(place, source)],
            Figure::Ratio(one, other) | Figure::Both(one, other) => [one.measured(), other.measured()].concat(),
            Figure::In { latency, .. } => latency.measured(),
        }
    }

    /// The arms that it is about.
    #[must_use]
    pub fn arms(&self) -> Vec<&str> {
        let mut arms: Vec<_> = self.measured().iter().map(|(place, _)| place.arm.as_str()).collect();
        arms.sort_unstable();
        arms.dedup();
        arms
    }

    /// The phases that it is about; empty for a figure of the whole run.
    #[must_use]
    pub fn phases(&self) -> Vec<&str> {
        self.measured().iter().filter_map(|(place, _)| place.phase.as_deref()).collect()
    }

    /// The latency in it, in milliseconds, which the generator's lag is compared with. For a ratio it is the
    /// numerator: lag can only increase the denominator, which works against the claim.
    #[must_use]
    pub fn latency_ms(&self, result: &RunResult) -> Option<f64> {
        match self {
            Figure::Measured(_, source) if source.is_latency() => self.of(result),
            Figure::Ratio(over, _) => over.latency_ms(result),
            Figure::In { latency, .. } => latency.latency_ms(result),
            _ => None,
        }
    }

    /// Whether it is a time, which a busy machine makes longer.
    #[must_use]
    pub fn is_latency(&self) -> bool {
        self.measured().iter().any(|(_, source)| source.is_latency())
    }

    /// Its unit in output and JSON.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self {
            Figure::Measured(_, source) => source.unit(),
            Figure::Both(one, _) => one.unit(),
            Figure::Ratio(..) => "x",
            Figure::In { name, .. } => name,
        }
    }
}
