//! Figures of a result: what was measured and where, and what is made of it.
//!
//! Each source of figures is one file: its figures, their units, and when one counts as measured.

mod arm;
mod closed_loop;
mod deployment;
mod ledger;
mod metric;
mod per_request;
mod place;
mod probe;
mod process;
mod requests;
mod source;
mod steps;
mod stop;
mod table;
mod vendor;

use std::sync::Arc;
use std::time::Duration;

use crate::numbers::in_millis;
use crate::result::{RunResult, Unit};

pub use arm::ArmFigure;
pub use closed_loop::ClosedLoopFigure;
pub use deployment::DeploymentFigure;
pub use ledger::LedgerFigure;
pub use metric::MetricFigure;
pub use per_request::PerRequestFigure;
pub use place::{Place, at, whole_run};
pub use probe::ProbeFigure;
pub use process::{LevelFigure, ProcessFigure};
pub use requests::RequestFigure;
pub use source::Source;
pub use steps::StepFigure;
pub use stop::StopFigure;
pub use table::TableFigure;
pub use vendor::VendorFigure;

/// A figure of a result.
#[derive(Debug, Clone)]
pub enum Figure {
    /// One that was measured.
    Measured(Place, Arc<dyn Source>),
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

impl Figure {
    /// What `source` measured at `place`.
    fn new(place: Place, source: impl Source + 'static) -> Self {
        Figure::Measured(place, Arc::new(source))
    }

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
            Figure::In { latency, unit, .. } => Some(latency.of(result)? / in_millis(*unit)),
        }
    }

    /// Whether a measurement was attempted: if all probes failed there is no latency, which is a finding.
    #[must_use]
    pub fn was_tried(&self, result: &RunResult) -> bool {
        self.measured().iter().all(|(place, source)| source.was_tried(place, result))
    }

    /// What is measured for it, and where.
    #[must_use]
    pub fn measured(&self) -> Vec<(&Place, &dyn Source)> {
        match self {
            Figure::Measured(place, source) => vec![(place, source.as_ref())],
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
    pub fn unit(&self) -> Unit {
        match self {
            Figure::Measured(_, source) => source.unit(),
            Figure::Both(one, _) => one.unit(),
            Figure::Ratio(..) => Unit::Times,
            Figure::In { unit, name, .. } => Unit::Time { name: (*name).into(), ms: in_millis(*unit) },
        }
    }
}

#[cfg(test)]
mod tests;
