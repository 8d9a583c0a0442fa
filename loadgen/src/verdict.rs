//! The verdict rule, in one place. A claim holds only if its figure is beyond its threshold, the vendor's
//! ledger proves the pressure, the control is clean by its own figures, and neither the generator nor the
//! machine was too busy. Otherwise the run is invalid, never a pass. A server with the mistake or the fix
//! never makes a run invalid: its behaviour is what is judged.

mod diagnosis;
mod general;
mod metric;
mod objective;
mod sequence;
mod starvation;
mod verify;

use crate::lab::{Claim, Profile};
use crate::result::{ClaimKind, ClaimResult, ClosedLoopStats, Outcome, RunResult, Side, Unit};

pub use crate::result::Verdict;
pub use diagnosis::of_diagnosis;
pub use objective::{Objective, ObjectiveError};
pub use sequence::of_sequence;
pub use verify::{CHECK, VerifiedStage, of_verify};

/// Lag of the generator (p99, in milliseconds) that is always acceptable.
const LAG_MS_MAX: f64 = 20.0;
/// Or this share of the judged latency, where that is more.
const LAG_SHARE_MAX: f64 = 0.1;

/// The verdict on a lab of which these arms were run: on its own claims and on the general ones. Claims about
/// other arms, and claims whose condition is not met, are left out.
#[must_use]
pub fn of_lab(profile: &Profile, arms: &[&str], result: &RunResult) -> Verdict {
    let mut judging = VerdictBuilder::default();
    judging.all(profile.claims.iter().cloned(), arms, result);
    let is_broken = |arm: &str| profile.arm(arm).is_some_and(|arm| arm.side == Side::Broken);
    let mistake = arms.iter().any(|arm| is_broken(arm));
    let counts =
        |claim: &Claim| claim.kind == ClaimKind::Effect && (!mistake || claim.figure.arms().into_iter().any(is_broken));
    if !judging.claims.iter().any(|(claim, _)| counts(claim)) {
        let what = if mistake {
            "no claim about the mistake could be judged"
        } else {
            "the lab has no claims about these arms"
        };
        judging.invalid_because.push(what.to_owned());
    }
    judging.all(general::claims(profile, arms, result), arms, result);
    judging.decide(result)
}

/// The verdict on a repaired server, by the claims on the arm that it is judged as. That its streams reach the
/// vendor is a claim here: if they do not, it is not repaired. Whether the vendor did its part stays a
/// precondition.
#[must_use]
pub fn of_repair(profile: &Profile, judged_as: &str, result: &RunResult) -> Verdict {
    let mut judging = VerdictBuilder::default();
    let asked = profile.claims.iter().filter(|claim| !claim.of_fixed_server);
    judging.all(asked.map(|claim| Claim { kind: ClaimKind::Effect, ..claim.clone() }), &[judged_as], result);
    judging.all(general::claims(profile, &[judged_as], result), &[judged_as], result);
    judging.decide(result)
}

/// Judges the claims of a lab one by one.
#[derive(Default)]
struct VerdictBuilder {
    claims: Vec<(Claim, ClaimResult)>,
    invalid_because: Vec<String>,
    /// Other causes that are not ruled out.
    not_ruled_out: Vec<String>,
}

impl VerdictBuilder {
    /// Judges those of `claims` that are about `arms`.
    fn all(&mut self, claims: impl IntoIterator<Item = Claim>, arms: &[&str], result: &RunResult) {
        for claim in claims.into_iter().filter(|claim| claim.figure.arms().iter().all(|arm| arms.contains(arm))) {
            match claim.applies_if.as_ref().map(|what| what.holds(result)) {
                None | Some(Some(true)) => {}
                Some(Some(false)) => continue,
                Some(None) => {
                    let why = format!("it was not measured whether this claim applies: {}", claim.name);
                    self.invalid_because.push(why);
                    continue;
                }
            }
            let judged = judge(&claim, result);
            let objections =
                if claim.kind == ClaimKind::Condition { &mut self.not_ruled_out } else { &mut self.invalid_because };
            objections.extend(objection(&claim, &judged, result));
            self.claims.push((claim, judged));
        }
    }

    fn decide(mut self, result: &RunResult) -> Verdict {
        // The claim that tolerates the least lag decides.
        let of_lab = self.claims.iter().filter(|(claim, _)| !claim.general);
        let allowed = of_lab.map(|(claim, _)| lag_allowed_ms(claim.figure.latency_ms(result)));
        let allowed_lag_ms = allowed.fold(f64::INFINITY, f64::min);
        self.invalid_because.extend(lag_objection(result, allowed_lag_ms));
        self.invalid_because.extend(self.busy_objection(result));
        // Where a claim has failed, there is no effect of which another cause would have to be ruled out.
        if self.claims.iter().all(|(claim, judged)| claim.kind != ClaimKind::Effect || judged.held) {
            self.invalid_because.append(&mut self.not_ruled_out);
        }
        decide(self.claims.into_iter().map(|(_, judged)| judged).collect(), self.invalid_because)
    }

    /// Why a busy machine is to blame: for all claims that failed, or for a long latency.
    fn busy_objection(&self, result: &RunResult) -> Option<String> {
        let effects = || self.claims.iter().filter(|(claim, _)| claim.kind == ClaimKind::Effect);
        let mut missed = effects().filter(|(_, judged)| !judged.held).peekable();
        let explained = missed.peek().is_some()
            && missed.all(|(claim, _)| starvation::explains(starvation::idle_wait_ms(claim, result), claim, result));
        let pretended = effects()
            .filter(|(_, judged)| judged.held)
            .find(|(claim, _)| starvation::may_be_machine(starvation::idle_wait_ms(claim, result), claim, result));
        let mut to_blame = effects().filter(|(_, judged)| explained && !judged.held).chain(pretended);
        let (claim, _) = to_blame.next()?;
        let waited = starvation::idle_wait_ms(claim, result);
        Some(format!("{BUSY}: idle processes waited up to {waited:.0} ms, which may explain: {}", claim.name))
    }
}

/// Reasons that begin like this may be absent in another run.
const BUSY: &str = "the machine was too busy";
const LAGGED: &str = "the generator itself lagged";

/// Whether a run is invalid because the machine was busy, so that another run may be valid.
#[must_use]
pub fn was_busy(verdict: &Verdict) -> bool {
    verdict.invalid_because.iter().any(|why| why.starts_with(BUSY) || why.starts_with(LAGGED))
}

/// The verdict on one server, from its objectives.
#[must_use]
pub fn of_run(objectives: &[Objective], result: &RunResult, mut invalid_because: Vec<String>) -> Verdict {
    // What is required of each request is judged by how many meet it.
    let of_run: Vec<_> = objectives.iter().filter(|objective| objective.of_request().is_none()).collect();
    let claims: Vec<_> = of_run.iter().map(|objective| objective.judge(result)).collect();
    for (claim, _) in claims.iter().zip(&of_run).filter(|(_, objective)| !objective.was_tried(result)) {
        invalid_because.push(format!("nothing was measured for the objective '{}'", claim.name));
    }
    let shortest = of_run.iter().filter_map(|objective| objective.latency_ms(result)).reduce(f64::min);
    invalid_because.extend(lag_objection(result, lag_allowed_ms(shortest)));
    Verdict { judged: !objectives.is_empty(), ..decide(claims, invalid_because) }
}

/// The verdict of the original validation script: the mean of the checks is under 0.1 s, and nothing else
/// counts. It exists to be compared with [`of_run`].
#[must_use]
pub fn as_in_source(checks: &ClosedLoopStats) -> Verdict {
    const MEAN_MS_BELOW: f64 = 100.0;
    let claim = ClaimResult {
        name: "mean of the checks, one after another".into(),
        kind: ClaimKind::Effect,
        arm: "target".into(),
        measured: (checks.sent > 0).then_some(checks.mean_ms),
        comparison: "<".into(),
        threshold: MEAN_MS_BELOW,
        unit: Unit::Milliseconds,
        general: false,
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
        name: claim.name.clone(),
        kind: claim.kind,
        arm: arm.to_owned(),
        measured,
        comparison: claim.comparison.sign().to_owned(),
        threshold: claim.threshold,
        unit: claim.figure.unit(),
        general: claim.general,
        held: measured.is_some_and(|measured| claim.comparison.holds(measured, claim.threshold)),
    }
}

/// Why the run is invalid because of this claim, if it is.
fn objection(claim: &Claim, judged: &ClaimResult, result: &RunResult) -> Option<String> {
    let what = |why: &str| Some(format!("{why}: {} ({})", claim.name, judged.arm));
    let waited = starvation::idle_wait_ms(claim, result);
    let is_precondition = matches!(claim.kind, ClaimKind::Pressure | ClaimKind::Control);
    if is_precondition && !judged.held && judged.measured.is_some() && starvation::explains(waited, claim, result) {
        return what(&format!("{BUSY}, idle processes waited up to {waited:.0} ms"));
    }
    match claim.kind {
        _ if judged.measured.is_none() && !claim.figure.was_tried(result) => what("nothing was measured"),
        ClaimKind::Pressure if !judged.held => what("the pressure was missing"),
        ClaimKind::Control if !judged.held => what("the control is not clean"),
        ClaimKind::Condition if !judged.held => what("another cause is not ruled out"),
        _ => None,
    }
}

/// How much the generator may lag for a figure with this latency, or for one that is no latency.
fn lag_allowed_ms(latency_ms: Option<f64>) -> f64 {
    LAG_MS_MAX.max(latency_ms.unwrap_or(0.0) * LAG_SHARE_MAX)
}

fn lag_objection(result: &RunResult, allowed_ms: f64) -> Option<String> {
    let not_sent = result.generator.not_sent;
    if not_sent > 0 {
        return Some(format!(
            "the generator itself ran out of descriptors or ports: {not_sent} probes and streams were not sent (`ulimit -n`)"
        ));
    }
    let lag = result.generator.schedule_lag_ms.p99;
    (lag > allowed_ms).then(|| format!("{LAGGED}: p99 {lag:.1} ms, over {allowed_ms:.0} ms (is the machine busy?)"))
}

#[cfg(test)]
mod tests;
