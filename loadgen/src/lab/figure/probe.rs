//! Figures of open-loop probes.

use super::{Figure, Place, Source};
use crate::result::{ProbeStats, Quantile, RunResult, Unit};

/// A figure of a probe.
#[derive(Debug, Clone, Copy)]
pub enum ProbeFigure {
    /// Its latency from when it was due, in milliseconds; a time-out counts at its time-out.
    Latency(Quantile),
    /// Probes that timed out.
    TimedOut,
    /// Probes that timed out, in percent.
    TimedOutShare,
    /// Probes that were answered 2xx in time, in percent.
    AnsweredShare,
    /// Probes whose answer had this value in the field, in percent.
    FieldIs(&'static str),
}

/// A figure of the probe of this name.
#[derive(Debug)]
struct OfProbe(&'static str, ProbeFigure);

impl ProbeFigure {
    fn of(self, stats: &ProbeStats) -> Option<f64> {
        let share = |count: u64| 100.0 * count as f64 / stats.sent.max(1) as f64;
        match self {
            // A probe that failed has no latency.
            ProbeFigure::Latency(quantile) => (stats.timed() > 0).then(|| stats.latency_ms.at(quantile)),
            ProbeFigure::TimedOut => Some(stats.timed_out as f64),
            ProbeFigure::TimedOutShare => Some(share(stats.timed_out)),
            ProbeFigure::AnsweredShare => Some(share(stats.ok)),
            ProbeFigure::FieldIs(word) => Some(share(stats.field_values.get(word).copied().unwrap_or(0))),
        }
    }
}

impl OfProbe {
    /// Without a probe that was sent there is no evidence.
    fn stats<'a>(&self, place: &Place, result: &'a RunResult) -> Option<&'a ProbeStats> {
        place.phase_in(result)?.probes.get(self.0).filter(|stats| stats.sent > 0)
    }
}

impl Source for OfProbe {
    fn of(&self, place: &Place, result: &RunResult) -> Option<f64> {
        self.1.of(self.stats(place, result)?)
    }

    fn was_tried(&self, place: &Place, result: &RunResult) -> bool {
        self.stats(place, result).is_some()
    }

    fn is_latency(&self) -> bool {
        matches!(self.1, ProbeFigure::Latency(_))
    }

    fn unit(&self) -> Unit {
        match self.1 {
            ProbeFigure::Latency(_) => Unit::Milliseconds,
            ProbeFigure::TimedOut => Unit::PROBES,
            ProbeFigure::TimedOutShare | ProbeFigure::AnsweredShare | ProbeFigure::FieldIs(_) => Unit::Percent,
        }
    }

    fn probe(&self) -> Option<&str> {
        Some(self.0)
    }
}

impl Place {
    /// A figure of the probe of this name.
    #[must_use]
    pub fn probe(self, name: &'static str, what: ProbeFigure) -> Figure {
        Figure::new(self, OfProbe(name, what))
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
}
