//! Figures of a result.

mod arm;
mod kinds;

use std::time::Duration;

use crate::result::{PhaseResult, Quantile, RunResult};

pub use arm::ArmFigure;
pub use kinds::{CallFigure, ClosedLoopFigure, ProbeFigure, StreamFigure, VendorFigure};

/// A figure of a result. Arms, phases and probes have their names in the lab.
#[derive(Debug, Clone, Copy)]
pub enum Figure {
    /// Of the open-loop probes that were due in a phase.
    Probe {
        /// The arm.
        arm: &'static str,
        /// The phase.
        phase: &'static str,
        /// The probe.
        probe: &'static str,
        /// The figure.
        what: ProbeFigure,
    },
    /// Of the closed-loop probe in a phase.
    ClosedLoop {
        /// The arm.
        arm: &'static str,
        /// The phase.
        phase: &'static str,
        /// The figure.
        what: ClosedLoopFigure,
    },
    /// Of the streams that a phase opened; of all streams if there is no phase.
    Streams {
        /// The arm.
        arm: &'static str,
        /// The phase.
        phase: Option<&'static str>,
        /// The figure.
        what: StreamFigure,
    },
    /// Of the vendor's ledger in a phase.
    Vendor {
        /// The arm whose vendor it is.
        arm: &'static str,
        /// The phase.
        phase: &'static str,
        /// The figure.
        what: VendorFigure,
    },
    /// Of the non-streaming calls of a phase.
    Calls {
        /// The arm.
        arm: &'static str,
        /// The phase.
        phase: &'static str,
        /// The figure.
        what: CallFigure,
    },
    /// Of one arm as a whole.
    Arm {
        /// The arm.
        arm: &'static str,
        /// The figure.
        what: ArmFigure,
    },
    /// Share of one processor that the server used in a phase.
    CpuCores {
        /// The arm.
        arm: &'static str,
        /// The phase.
        phase: &'static str,
    },
    /// One figure divided by another.
    Ratio(&'static Figure, &'static Figure),
    /// The smaller of two figures of one arm: both must be true at the same time.
    Both(&'static Figure, &'static Figure),
    /// A latency in a unit that the lab defines: token gaps, durations of a stream.
    In {
        /// The latency.
        latency: &'static Figure,
        /// The unit.
        unit: Duration,
        /// The unit's name in output.
        name: &'static str,
    },
}

impl Figure {
    /// The 99th percentile of a probe's latency in a phase.
    #[must_use]
    pub const fn p99(arm: &'static str, phase: &'static str, probe: &'static str) -> Self {
        Figure::Probe { arm, phase, probe, what: ProbeFigure::Latency(Quantile::P99) }
    }

    /// The 90th percentile: with few probes in a phase, the 99th is a single one, which may have met a busy machine.
    #[must_use]
    pub const fn p90(arm: &'static str, phase: &'static str, probe: &'static str) -> Self {
        Figure::Probe { arm, phase, probe, what: ProbeFigure::Latency(Quantile::P90) }
    }

    /// Another figure of a probe in a phase.
    #[must_use]
    pub const fn probe(arm: &'static str, phase: &'static str, probe: &'static str, what: ProbeFigure) -> Self {
        Figure::Probe { arm, phase, probe, what }
    }

    /// A figure of the vendor's ledger in a phase.
    #[must_use]
    pub const fn vendor(arm: &'static str, phase: &'static str, what: VendorFigure) -> Self {
        Figure::Vendor { arm, phase, what }
    }

    /// A figure of the streams that a phase opened.
    #[must_use]
    pub const fn streams(arm: &'static str, phase: &'static str, what: StreamFigure) -> Self {
        Figure::Streams { arm, phase: Some(phase), what }
    }

    /// A figure of all streams of an arm.
    #[must_use]
    pub const fn all_streams(arm: &'static str, what: StreamFigure) -> Self {
        Figure::Streams { arm, phase: None, what }
    }

    /// A latency in token gaps.
    #[must_use]
    pub const fn gaps(latency: &'static Figure, gap: Duration) -> Self {
        Figure::In { latency, unit: gap, name: "gaps" }
    }

    /// Its value in `result`; `None` if nothing was measured.
    #[must_use]
    pub fn of(&self, result: &RunResult) -> Option<f64> {
        match *self {
            Figure::Probe { arm, phase, probe, what } => {
                // Without a probe that was sent there is no evidence.
                let stats = find_phase(result, arm, phase)?.probes.get(probe).filter(|stats| stats.sent > 0)?;
                // A probe that failed has no latency.
                let measured = stats.timed() > 0 || !matches!(what, ProbeFigure::Latency(_));
                measured.then(|| what.of(stats))
            }
            Figure::ClosedLoop { arm, phase, what } => {
                let stats = find_phase(result, arm, phase)?.closed_loop.as_ref().filter(|stats| stats.sent > 0)?;
                Some(what.of(stats))
            }
            Figure::Streams { arm, phase: Some(phase), what } => {
                Some(what.of(find_phase(result, arm, phase)?.streams.as_ref()?))
            }
            Figure::Streams { arm, phase: None, what } => Some(what.of_all(result.arms.get(arm)?)),
            Figure::Vendor { arm, phase, what } => what.of(find_phase(result, arm, phase)?),
            Figure::Calls { arm, phase, what } => what.of(find_phase(result, arm, phase)?.calls.as_ref()?),
            Figure::Arm { arm, what } => what.of(result.arms.get(arm)?),
            Figure::CpuCores { arm, phase } => find_phase(result, arm, phase)?.cpu_cores,
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
        match *self {
            Figure::Probe { arm, phase, probe, .. } => find_phase(result, arm, phase)
                .and_then(|phase| phase.probes.get(probe))
                .is_some_and(|stats| stats.sent > 0),
            Figure::Calls { arm, phase, .. } => {
                find_phase(result, arm, phase).and_then(|phase| phase.calls).is_some_and(|calls| calls.requested > 0)
            }
            Figure::Ratio(one, other) | Figure::Both(one, other) => one.was_tried(result) && other.was_tried(result),
            Figure::In { latency, .. } => latency.was_tried(result),
            _ => self.of(result).is_some(),
        }
    }

    /// The arms that it is about.
    #[must_use]
    pub fn arms(&self) -> Vec<&'static str> {
        match *self {
            Figure::Probe { arm, .. }
            | Figure::ClosedLoop { arm, .. }
            | Figure::Streams { arm, .. }
            | Figure::Vendor { arm, .. }
            | Figure::Calls { arm, .. }
            | Figure::Arm { arm, .. }
            | Figure::CpuCores { arm, .. } => vec![arm],
            Figure::Ratio(over, under) | Figure::Both(over, under) => {
                let mut arms = [over.arms(), under.arms()].concat();
                arms.sort_unstable();
                arms.dedup();
                arms
            }
            Figure::In { latency, .. } => latency.arms(),
        }
    }

    /// The phases that it is about; empty for a figure of the whole run.
    #[must_use]
    pub fn phases(&self) -> Vec<&'static str> {
        match *self {
            Figure::Probe { phase, .. }
            | Figure::ClosedLoop { phase, .. }
            | Figure::Vendor { phase, .. }
            | Figure::Calls { phase, .. }
            | Figure::CpuCores { phase, .. } => vec![phase],
            Figure::Streams { phase, .. } => phase.into_iter().collect(),
            Figure::Arm { .. } => Vec::new(),
            Figure::Ratio(over, under) | Figure::Both(over, under) => [over.phases(), under.phases()].concat(),
            Figure::In { latency, .. } => latency.phases(),
        }
    }

    /// The latency in it, in milliseconds, which the generator's lag is compared with. For a ratio it is the
    /// numerator: lag can only increase the denominator, which works against the claim.
    #[must_use]
    pub fn latency_ms(&self, result: &RunResult) -> Option<f64> {
        match *self {
            Figure::Probe { what: ProbeFigure::Latency(_), .. }
            | Figure::ClosedLoop { .. }
            | Figure::Calls { what: CallFigure::Latency(_), .. }
            | Figure::Arm { what: ArmFigure::FirstTokenLate, .. } => self.of(result),
            Figure::Ratio(over, _) => over.latency_ms(result),
            Figure::In { latency, .. } => latency.latency_ms(result),
            _ => None,
        }
    }

    /// Its unit in output and JSON.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self {
            Figure::Probe { what: ProbeFigure::Latency(_), .. }
            | Figure::ClosedLoop { .. }
            | Figure::Calls { what: CallFigure::Latency(_), .. } => "ms",
            Figure::Calls { .. } => "calls",
            Figure::Arm { what, .. } => what.unit(),
            Figure::Both(one, _) => one.unit(),
            Figure::Probe { what: ProbeFigure::FieldIs(_) | ProbeFigure::TimedOutShare, .. } => "%",
            Figure::Probe { .. } => "probes",
            Figure::Streams { .. } => "streams",
            Figure::Vendor { what: VendorFigure::TokensSent, .. } => "tokens",
            Figure::Vendor { .. } => "streams",
            Figure::CpuCores { .. } => "cores",
            Figure::Ratio(..) => "x",
            Figure::In { name, .. } => name,
        }
    }
}

fn find_phase<'a>(result: &'a RunResult, arm: &str, phase: &str) -> Option<&'a PhaseResult> {
    result.arms.get(arm)?.phases.iter().find(|candidate| candidate.name == phase)
}
