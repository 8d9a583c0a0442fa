//! Figures of a result, by name.

/// Of one arm as a whole.
mod arm;
/// What can be asked of probes, streams, calls and vendors.
mod kinds;

use std::time::Duration;

use crate::result::{PhaseResult, Quantile, RunResult};

pub use arm::ArmFigure;
pub use kinds::{CallFigure, ClosedLoopFigure, ProbeFigure, StreamFigure, VendorFigure};

/// A figure of a result. Arms, phases and probes are named as in the lab.
#[derive(Debug, Clone, Copy)]
pub enum Figure {
    /// Of the open-loop probes that were due in a phase.
    Probe {
        /// Whose.
        arm: &'static str,
        /// When.
        phase: &'static str,
        /// Which probe.
        probe: &'static str,
        /// What of it.
        what: ProbeFigure,
    },
    /// Of the questions that were asked one after the other in a phase.
    ClosedLoop {
        /// Whose.
        arm: &'static str,
        /// When.
        phase: &'static str,
        /// What of it.
        what: ClosedLoopFigure,
    },
    /// Of the streams that were begun in a phase; of all, when none is named.
    Streams {
        /// Whose.
        arm: &'static str,
        /// When.
        phase: Option<&'static str>,
        /// What of them.
        what: StreamFigure,
    },
    /// Of what the vendor saw in a phase.
    Vendor {
        /// Whose vendor.
        arm: &'static str,
        /// When.
        phase: &'static str,
        /// What of it.
        what: VendorFigure,
    },
    /// Of the whole calls of a phase.
    Calls {
        /// Whose.
        arm: &'static str,
        /// When.
        phase: &'static str,
        /// What of them.
        what: CallFigure,
    },
    /// Of one arm as a whole.
    Arm {
        /// Which.
        arm: &'static str,
        /// What of it.
        what: ArmFigure,
    },
    /// Share of one processor that the server used in a phase.
    CpuCores {
        /// Whose.
        arm: &'static str,
        /// When.
        phase: &'static str,
    },
    /// One figure over another.
    Ratio(&'static Figure, &'static Figure),
    /// The smaller of two figures of one arm: both must be so at once.
    Both(&'static Figure, &'static Figure),
    /// A latency in units of the lab's own: token gaps, lengths of a stream.
    In {
        /// The latency.
        latency: &'static Figure,
        /// What it is measured in.
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

    /// The 90th percentile: where a phase has few probes, the 99th is the one that met a busy machine.
    #[must_use]
    pub const fn p90(arm: &'static str, phase: &'static str, probe: &'static str) -> Self {
        Figure::Probe { arm, phase, probe, what: ProbeFigure::Latency(Quantile::P90) }
    }

    /// Another figure of a probe in a phase.
    #[must_use]
    pub const fn probe(arm: &'static str, phase: &'static str, probe: &'static str, what: ProbeFigure) -> Self {
        Figure::Probe { arm, phase, probe, what }
    }

    /// What the vendor saw in a phase.
    #[must_use]
    pub const fn vendor(arm: &'static str, phase: &'static str, what: VendorFigure) -> Self {
        Figure::Vendor { arm, phase, what }
    }

    /// What became of the streams that were begun in a phase.
    #[must_use]
    pub const fn streams(arm: &'static str, phase: &'static str, what: StreamFigure) -> Self {
        Figure::Streams { arm, phase: Some(phase), what }
    }

    /// What became of all streams of an arm.
    #[must_use]
    pub const fn all_streams(arm: &'static str, what: StreamFigure) -> Self {
        Figure::Streams { arm, phase: None, what }
    }

    /// A latency in token gaps.
    #[must_use]
    pub const fn gaps(latency: &'static Figure, gap: Duration) -> Self {
        Figure::In { latency, unit: gap, name: "gaps" }
    }

    /// Its value in `result`; none where nothing was measured.
    #[must_use]
    pub fn of(&self, result: &RunResult) -> Option<f64> {
        match *self {
            Figure::Probe { arm, phase, probe, what } => {
                // Probes that were really sent: no probes are no evidence.
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

    /// Whether it was tried to measure it: probes that all failed have no latency, and that is a finding.
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

    /// The arms that it speaks of.
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

    /// The phases that it speaks of; none of a figure of the whole run.
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

    /// The latency in it, in milliseconds: the generator's lag is judged against it. Of a ratio the
    /// larger side: lag can only enlarge the smaller one, which speaks against the claim.
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
