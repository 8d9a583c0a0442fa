//! Whether a busy machine explains a failed claim. The generator's own lag covers the generator alone, but
//! servers are starved as well, and all of them alike. So a figure is compared with how long idle parts waited
//! in the same phases: the vendors' answers, the generator's probes, and the probes of the control.

use crate::lab::{BASELINE, Claim, Comparison, Figure};
use crate::result::{ClaimKind, PhaseResult, RunResult, Side};

/// Waits of a third of a latency explain it: several of them add up in one answer.
const WAITS_IN_A_LATENCY: f64 = 3.0;
/// Waits this long explain a wrong count, in milliseconds.
const COUNTS_SUFFER_FROM_MS: f64 = 100.0;
/// Latency of an idle server, in milliseconds: shorter ones do not improve a ratio.
const IDLE_MS: f64 = 5.0;

/// The longest wait of an idle part in the phases of `claim` (in all phases if it names none), in
/// milliseconds.
pub(super) fn idle_wait_ms(claim: &Claim, result: &RunResult) -> f64 {
    let named = claim.figure.phases();
    let concerned = |phase: &&PhaseResult| named.is_empty() || named.contains(&phase.name.as_str());
    let all = result.arms.values().flat_map(|arm| &arm.phases).filter(concerned);
    let disturbances = all.filter_map(|phase| phase.disturbance);
    let idle = disturbances.map(|found| found.probe_late_ms.max(found.vendor_answer_ms));
    // The control cannot excuse itself.
    let controls = result.arms.values().filter(|arm| arm.side == Some(Side::Control));
    let control = controls.filter(|_| claim.kind == ClaimKind::Effect).flat_map(|arm| {
        let usual = |probe: &str| {
            let baseline = arm.phases.iter().find(|phase| phase.name == BASELINE);
            baseline.and_then(|phase| phase.probes.get(probe)).map_or(0.0, |stats| stats.latency_ms.p50)
        };
        let probes = arm.phases.iter().filter(concerned).flat_map(|phase| &phase.probes);
        probes.map(|(name, stats)| stats.latency_ms.max - usual(name)).collect::<Vec<_>>()
    });
    idle.chain(control).fold(0.0, f64::max)
}

/// Whether `claim`, which does not hold, would hold without waits of this length.
pub(super) fn explains(wait_ms: f64, claim: &Claim, result: &RunResult) -> bool {
    match (&claim.figure, claim.comparison) {
        (Figure::Ratio(over, under), Comparison::AtLeast) => {
            let (Some(over), Some(under)) = (over.latency_ms(result), under.latency_ms(result)) else { return false };
            over / (under - wait_ms).max(IDLE_MS) >= claim.threshold
        }
        (figure, Comparison::AtMost) if figure.latency_ms(result).is_some() => {
            figure.latency_ms(result).is_some_and(|latency| latency <= WAITS_IN_A_LATENCY * wait_ms)
        }
        // Waiting does not explain a latency that is too short.
        (figure, Comparison::AtLeast) if figure.latency_ms(result).is_some() => false,
        _ => wait_ms >= COUNTS_SUFFER_FROM_MS,
    }
}

/// Whether a claimed long latency may come from the machine: idle parts waited as long.
pub(super) fn may_be_machine(wait_ms: f64, claim: &Claim, result: &RunResult) -> bool {
    let long = claim.comparison == Comparison::AtLeast;
    long && claim.figure.latency_ms(result).is_some_and(|latency| wait_ms >= latency)
}
