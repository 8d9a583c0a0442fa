//! The verdict rule, in one place. A claim holds only when its figure is beyond its threshold, the
//! pressure is proved by the vendor's ledger, the control is clean, and the generator kept its own
//! schedule. Otherwise the run is invalid, never a pass.

/// What an objective looks at.
mod metric;
/// Objectives of `loadgen run`: `health.p99<100ms`.
mod objective;
/// The verdict of `loadgen verify`.
mod verify;

use crate::lab::{Claim, Figure};
use crate::result::{ClaimKind, ClaimResult, ClosedLoopStats, Outcome, RunResult};

pub use crate::result::Verdict;
pub use objective::{Objective, ObjectiveError};
pub use verify::{CHECK, VerifiedStage, of_verify};

/// Up to here the generator's own lag (p99, in milliseconds) spoils no figure.
const LAG_MS_MAX: f64 = 20.0;
/// Or up to this share of the latency that is judged, where that is more.
const LAG_SHARE_MAX: f64 = 0.1;

/// The verdict on a lab's claims when these arms were run. Claims that speak of other arms, or whose
/// condition is not met, are left out.
#[must_use]
pub fn of_lab(claims: &[Claim], arms: &[&str], result: &RunResult) -> Verdict {
    let mut judged_claims = Vec::new();
    let mut invalid_because = Vec::new();
    // Every claim must be able to bear the lag, so the one that bears least decides.
    let mut allowed_lag_ms = f64::INFINITY;
    for claim in claims.iter().filter(|claim| claim.figure.arms().iter().all(|arm| arms.contains(arm))) {
        match claim.when.map(|condition| condition.holds(result)) {
            None | Some(Some(true)) => {}
            Some(Some(false)) => continue,
            Some(None) => {
                invalid_because.push(format!("nothing was measured that tells whether to claim: {}", claim.name));
                continue;
            }
        }
        let judged = judge(claim, result);
        invalid_because.extend(objection(claim, &judged));
        allowed_lag_ms = allowed_lag_ms.min(lag_allowed_ms(claim.figure.latency_ms(result)));
        judged_claims.push(judged);
    }
    invalid_because.extend(lag_objection(result, allowed_lag_ms));
    if judged_claims.is_empty() {
        invalid_because.push("nothing is claimed of these arms alone".to_owned());
    }
    decide(judged_claims, invalid_because)
}

/// The verdict on a server that somebody has mended, by the claims on `part`, which it has played. That
/// its streams reach the vendor is here asked of it: where they do not, it is not mended.
#[must_use]
pub fn of_mended(claims: &[Claim], part: &str, result: &RunResult) -> Verdict {
    let asked = |claim: &Claim| Claim { kind: ClaimKind::Effect, ..*claim };
    of_lab(&claims.iter().map(asked).collect::<Vec<_>>(), &[part], result)
}

/// The verdict on one server, from its objectives.
#[must_use]
pub fn of_run(objectives: &[Objective], result: &RunResult, mut invalid_because: Vec<String>) -> Verdict {
    let claims: Vec<_> = objectives.iter().map(|objective| objective.judge(result)).collect();
    for (claim, _) in claims.iter().zip(objectives).filter(|(_, objective)| !objective.was_tried(result)) {
        invalid_because.push(format!("nothing was measured for '{}'", claim.name));
    }
    let shortest = objectives.iter().filter_map(|objective| objective.latency_ms(result)).reduce(f64::min);
    invalid_because.extend(lag_objection(result, lag_allowed_ms(shortest)));
    Verdict { judged: !objectives.is_empty(), ..decide(claims, invalid_because) }
}

/// The verdict of the source's validation: the mean of the checks is under 0.1 s, and nothing else
/// matters. It is here to be compared with [`of_run`].
#[must_use]
pub fn as_in_source(checks: &ClosedLoopStats) -> Verdict {
    const MEAN_MS_BELOW: f64 = 100.0;
    let claim = ClaimResult {
        name: "mean of the checks, one after the other".into(),
        kind: ClaimKind::Effect,
        arm: "target".into(),
        measured: (checks.sent > 0).then_some(checks.mean_ms),
        comparison: "<".into(),
        threshold: MEAN_MS_BELOW,
        unit: "ms".into(),
        unit_ms: None,
        held: checks.sent > 0 && checks.mean_ms < MEAN_MS_BELOW,
    };
    decide(vec![claim], Vec::new())
}

fn decide(claims: Vec<ClaimResult>, mut invalid_because: Vec<String>) -> Verdict {
    invalid_because.dedup();
    let result = if !invalid_because.is_empty() {
        Outcome::Invalid
    } else if claims.iter().all(|claim| claim.held) {
        Outcome::Held
    } else {
        Outcome::NotHeld
    };
    Verdict { result, judged: true, claims, invalid_because, warnings: Vec::new() }
}

fn judge(claim: &Claim, result: &RunResult) -> ClaimResult {
    let measured = claim.figure.of(result);
    let arms = claim.figure.arms();
    let arm = if let [arm] = arms[..] { arm } else { "all" };
    ClaimResult {
        name: claim.name.to_owned(),
        kind: claim.kind,
        arm: arm.to_owned(),
        measured,
        comparison: claim.comparison.sign().to_owned(),
        threshold: claim.threshold,
        unit: claim.figure.unit().to_owned(),
        unit_ms: unit_ms(&claim.figure),
        held: measured.is_some_and(|measured| claim.comparison.holds(measured, claim.threshold)),
    }
}

/// Milliseconds in a figure's unit, where that is a length of time of the lab's own.
fn unit_ms(figure: &Figure) -> Option<f64> {
    match figure {
        Figure::In { unit, .. } => Some(unit.as_secs_f64() * 1000.0),
        _ => None,
    }
}

/// Why a claim's figure cannot be trusted, if so.
fn objection(claim: &Claim, judged: &ClaimResult) -> Option<String> {
    let what = |why: &str| Some(format!("{why}: {} ({})", claim.name, judged.arm));
    match claim.kind {
        _ if judged.measured.is_none() => what("nothing was measured"),
        ClaimKind::Pressure if !judged.held => what("the pressure was not there"),
        ClaimKind::Control if !judged.held => what("the control is not clean"),
        _ => None,
    }
}

/// How much the generator may lag for a figure of this latency, or of none.
fn lag_allowed_ms(latency_ms: Option<f64>) -> f64 {
    LAG_MS_MAX.max(latency_ms.unwrap_or(0.0) * LAG_SHARE_MAX)
}

fn lag_objection(result: &RunResult, allowed_ms: f64) -> Option<String> {
    let not_sent = result.generator.not_sent;
    if not_sent > 0 {
        return Some(format!(
            "the generator itself had no descriptors or ports left: {not_sent} probes and streams were not sent (`ulimit -n`)"
        ));
    }
    let lag = result.generator.schedule_lag_ms.p99;
    (lag > allowed_ms).then(|| {
        format!("the generator itself lagged: p99 {lag:.1} ms, over {allowed_ms:.0} ms (is the machine busy?)")
    })
}

#[cfg(test)]
mod tests;
