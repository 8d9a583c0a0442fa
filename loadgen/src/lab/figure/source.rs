//! What a figure is of, and where its value is in a result.

use super::arm::ArmFigure;
use super::deployment::DeploymentFigure;
use super::kinds::{CallFigure, ClosedLoopFigure, ProbeFigure, StreamFigure, VendorFigure};
use super::place::Place;
use super::stop::StopFigure;
use super::table::TableFigure;
use crate::result::RunResult;

/// What was measured.
#[derive(Debug, Clone)]
pub enum Source {
    /// Of the open-loop probes of this name that were due in the phase.
    Probe(&'static str, ProbeFigure),
    /// Of the closed-loop probe.
    ClosedLoop(ClosedLoopFigure),
    /// Of the streams that the phase opened; of all streams for the whole run.
    Streams(StreamFigure),
    /// Of the non-streaming calls.
    Calls(CallFigure),
    /// Of the vendor's ledger.
    Vendor(VendorFigure),
    /// Share of one processor that the server used.
    CpuCores,
    /// Of the server's processes.
    Deployment(DeploymentFigure),
    /// Of the table of a phase's cases.
    Table(TableFigure),
    /// Of the arm as a whole.
    Arm(ArmFigure),
    /// Of the end of a server that was asked to end.
    Stop(StopFigure),
}

impl Source {
    /// Its value at `place`; `None` if nothing was measured.
    pub(super) fn of(&self, place: &Place, result: &RunResult) -> Option<f64> {
        let phase = || place.phase_in(result);
        match *self {
            Source::Probe(probe, what) => {
                // Without a probe that was sent there is no evidence.
                let stats = phase()?.probes.get(probe).filter(|stats| stats.sent > 0)?;
                // A probe that failed has no latency.
                let measured = stats.timed() > 0 || !matches!(what, ProbeFigure::Latency(_));
                measured.then(|| what.of(stats))
            }
            Source::ClosedLoop(what) => {
                let stats = phase()?.closed_loop.as_ref().filter(|stats| stats.sent > 0)?;
                Some(what.of(stats))
            }
            Source::Streams(what) if place.phase.is_none() => Some(what.of_all(place.arm_in(result)?)),
            Source::Streams(what) => Some(what.of(phase()?.streams.as_ref()?)),
            Source::Vendor(what) => what.of(phase()?),
            Source::Deployment(what) => what.of(phase()?),
            Source::Calls(what) => what.of(phase()?.calls.as_ref()?),
            Source::Table(what) => what.of(&phase()?.table),
            Source::Arm(what) => what.of(place.arm_in(result)?),
            Source::CpuCores => phase()?.cpu_cores,
            Source::Stop(what) => what.of(place.arm_in(result)?.stop.as_ref()?),
        }
    }

    /// Whether a measurement was attempted: if all probes failed there is no latency, which is a finding.
    pub(super) fn was_tried(&self, place: &Place, result: &RunResult) -> bool {
        let phase = || place.phase_in(result);
        match self {
            Source::Probe(probe, _) => {
                phase().and_then(|phase| phase.probes.get(*probe)).is_some_and(|stats| stats.sent > 0)
            }
            Source::Calls(_) => phase().and_then(|phase| phase.calls.as_ref()).is_some_and(|calls| calls.requested > 0),
            // A server that has not ended has no exit code, which is a finding.
            Source::Stop(_) => place.arm_in(result).is_some_and(|arm| arm.stop.is_some()),
            _ => self.of(place, result).is_some(),
        }
    }

    pub(super) fn is_latency(&self) -> bool {
        matches!(
            self,
            Source::Probe(_, ProbeFigure::Latency(_))
                | Source::ClosedLoop(_)
                | Source::Calls(CallFigure::Latency(_))
                | Source::Arm(ArmFigure::FirstTokenLate)
                | Source::Stop(StopFigure::Exit)
        )
    }

    pub(super) fn unit(&self) -> &'static str {
        match self {
            Source::Table(what) => what.unit(),
            Source::Arm(what) => what.unit(),
            Source::Deployment(what) => what.unit(),
            Source::Probe(_, ProbeFigure::Latency(_)) | Source::ClosedLoop(_) => "ms",
            Source::Calls(CallFigure::Latency(_)) => "ms",
            Source::Calls(_) => "calls",
            Source::Probe(_, ProbeFigure::FieldIs(_) | ProbeFigure::TimedOutShare | ProbeFigure::AnsweredShare) => "%",
            Source::Probe(..) => "probes",
            Source::Streams(_) => "streams",
            Source::Vendor(VendorFigure::TokensSent) => "tokens",
            Source::Vendor(_) => "streams",
            Source::CpuCores => "cores",
            Source::Stop(what) => what.unit(),
        }
    }
}
