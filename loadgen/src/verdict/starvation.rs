//! Whether a busy machine explains what went wrong. The generator's own lag tells of the generator alone:
//! servers are starved as well, and all of them alike. So what a figure says is held against what kept
//! waiting in the same phases without a reason: the vendors' answers, the generator's probes, and the
//! probes of the control.

use crate::lab::{BASELINE, Claim, Comparison, Figure};
use crate::result::{ClaimKind, PhaseResult, RunResult};

/// A latency is explained by waits of a third of it: many of them add up in one answer.
const WAITS_IN_A_LATENCY: f64 = 3.0;
/// A count is explained by waits from here on, in milliseconds: a token gap, a ramp, a client's drain.
const COUNTS_SUFFER_FROM_MS: f64 = 100.0;
/// As slow as an idle server may be, in milliseconds: a ratio is not blamed on the machine for less.
const IDLE_MS: f64 = 5.0;

/// How long something waited that had nothing to wait for, at most, in the phases of `claim`; in all where
/// it names none. In milliseconds.
pub(super) fn idle_wait_ms(claim: &Claim, result: &RunResult) -> f64 {
    let named = claim.figure.phases();
    let concerned = |phase: &&PhaseResult| named.is_empty() || named.contains(&phase.name.as_str());
    let all = result.arms.values().flat_map(|arm| &arm.phases).filter(concerned);
    let disturbed = all.filter_map(|phase| phase.disturbance);
    let idle = disturbed.map(|found| found.probe_late_ms.max(found.vendor_answer_ms));
    // The control is no ledger_watch for itself.
    let control = result.arms.get("control").filter(|_| claim.kind == ClaimKind::Effect);
    let control = control.into_iter().flat_map(|arm| {
        let usual = |probe: &str| {
            let baseline = arm.phases.iter().find(|phase| phase.name == BASELINE);
            baseline.and_then(|phase| phase.probes.get(probe)).map_or(0.0, |stats| stats.latency_ms.p50)
        };
        let probes = arm.phases.iter().filter(concerned).flat_map(|phase| &phase.probes);
        probes.map(|(name, stats)| stats.latency_ms.max - usual(name)).collect::<Vec<_>>()
    });
    idle.chain(control).fold(0.0, f64::max)
}

/// Whether `claim`, which does not hold, would hold but for waits of this length.
pub(super) fn explains(wait_ms: f64, claim: &Claim, result: &RunResult) -> bool {
    match (claim.figure, claim.comparison) {
        (Figure::Ratio(over, under), Comparison::AtLeast) => {
            let (Some(over), Some(under)) = (over.latency_ms(result), under.latency_ms(result)) else { return false };
            over / (under - wait_ms).max(IDLE_MS) >= claim.threshold
        }
        (figure, Comparison::AtMost) if figure.latency_ms(result).is_some() => {
            figure.latency_ms(result).is_some_and(|latency| latency <= WAITS_IN_A_LATENCY * wait_ms)
        }
        // A latency that is too short is not explained by waiting.
        (figure, Comparison::AtLeast) if figure.latency_ms(result).is_some() => false,
        _ => wait_ms >= COUNTS_SUFFER_FROM_MS,
    }
}

/// Whether a latency that is claimed to be long, and is, may be the machine's: what was idle waited as long.
pub(super) fn pretends(wait_ms: f64, claim: &Claim, result: &RunResult) -> bool {
    let long = claim.comparison == Comparison::AtLeast;
    long && claim.figure.latency_ms(result).is_some_and(|latency| wait_ms >= latency)
}
