//! Figures of what a server shows of itself at `/metrics`.

use super::{Figure, Place, Source};
use crate::result::{MetricName, RunResult, Unit};

/// A figure of one of the server's own metrics, summed over the servers of the arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricFigure {
    /// Its value at the end of the phase.
    Value,
    /// Its increase in the whole phase, the ramp included.
    Increase,
    /// The same of a metric in seconds, in milliseconds.
    IncreaseMs,
}

/// A figure of the metric of this name.
#[derive(Debug)]
struct OfMetric(MetricName, MetricFigure);

impl Source for OfMetric {
    fn of(&self, place: &Place, result: &RunResult) -> Option<f64> {
        let stats = place.phase_in(result)?.metrics.get(&self.0.to_string())?;
        Some(match self.1 {
            MetricFigure::Value => stats.value,
            MetricFigure::Increase => stats.increase,
            MetricFigure::IncreaseMs => 1000.0 * stats.increase,
        })
    }

    /// A metric may count anything: the claim's name says what.
    fn unit(&self) -> Unit {
        match self.1 {
            MetricFigure::Value | MetricFigure::Increase => Unit::NONE,
            MetricFigure::IncreaseMs => Unit::Milliseconds,
        }
    }

    fn metric(&self) -> Option<&MetricName> {
        Some(&self.0)
    }
}

impl Place {
    /// A figure of one of the server's own metrics.
    #[must_use]
    pub fn metric(self, name: MetricName, what: MetricFigure) -> Figure {
        Figure::new(self, OfMetric(name, what))
    }
}
