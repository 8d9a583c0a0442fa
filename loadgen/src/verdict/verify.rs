//! The verdict of `loadgen verify`.

use super::{Verdict, decide, lag_allowed_ms, lag_objection};
use crate::result::{ArmResult, ClaimKind, ClaimResult, PhaseResult, ProbeStats, Quantile, RunResult, Unit};

/// The probe of `loadgen verify`.
pub const CHECK: &str = "health_sync";

/// Every check must be faster: the original script's limit.
const SLOWEST_MS_BELOW: f64 = 100.0;
/// The median check under load may take at most this many times that of the idle server.
const TIMES_IDLE_MAX: f64 = 10.0;
/// A median up to this is fast in any case: an idle server answers faster than the machine's own noise.
const FAST_MS: f64 = 15.0;
/// Share of a stage's streams that must be open on average.
const OPEN_SHARE_MIN: f64 = 0.8;

/// A stage of `loadgen verify`: a number of streams open during the phase of this name.
#[derive(Debug, Clone)]
pub struct VerifiedStage {
    /// Number of streams.
    pub streams: u32,
    /// The phase.
    pub name: String,
}

/// The verdict of `loadgen verify`: in each stage the slowest check is under 0.1 s and the median is near the
/// idle server's; no check failed; no stream was lost. The `rejected` streams do not count as lost: a server
/// may reject more streams than it is meant to hold.
#[must_use]
pub fn of_verify(stages: &[VerifiedStage], result: &RunResult, rejected: u64) -> Verdict {
    let Some(target) = &result.target else { return decide(Vec::new(), vec!["nothing was measured".to_owned()]) };
    let idle = target.baseline.probes.get(CHECK).filter(|stats| stats.ok > 0);
    let limit_ms = idle.map_or(FAST_MS, |stats| (stats.latency_ms.p50 * TIMES_IDLE_MAX).max(FAST_MS));
    let (mut claims, mut invalid_because) = (Vec::new(), Vec::new());
    if idle.is_none() {
        invalid_because.push("the idle server answered no check".to_owned());
    }
    let lost = target.streams.lost().saturating_sub(rejected);
    let (mut failed, mut timed_out, mut shortest) = (0, 0, f64::INFINITY);
    for stage in stages {
        let phase = target.phases.iter().find(|phase| phase.name == stage.name);
        let Some((phase, stats)) = phase.and_then(|phase| Some((phase, phase.probes.get(CHECK)?))) else { continue };
        let slowest = format!("{}: {CHECK}.max", stage.name);
        claims.push(latency(slowest, stats, Quantile::Max, "<", SLOWEST_MS_BELOW));
        let median = format!("{}: median close to idle", stage.name);
        claims.push(latency(median, stats, Quantile::P50, "<=", limit_ms));
        (failed, timed_out) = (failed + stats.failed, timed_out + stats.timed_out);
        shortest = shortest.min(stats.latency_ms.p50);
        let was_rejected = rejected > 0 && stages.last().is_some_and(|last| last.streams == stage.streams);
        if lost == 0 && !was_rejected {
            invalid_because.extend(low_pressure(target, phase, stage.streams));
        }
    }
    claims.push(none(format!("{CHECK}.failed"), failed, Unit::PROBES));
    claims.push(none(format!("{CHECK}.timed_out"), timed_out, Unit::PROBES));
    claims.push(none("lost".to_owned(), lost, Unit::STREAMS));
    invalid_because.extend(lag_objection(result, lag_allowed_ms(Some(shortest).filter(|ms| ms.is_finite()))));
    let mut verdict = decide(claims, invalid_because);
    if rejected > 0 {
        verdict.warnings.push(format!("{rejected} streams beyond --streams were rejected with 429"));
    }
    verdict
}

fn latency(name: String, stats: &ProbeStats, quantile: Quantile, sign: &str, limit_ms: f64) -> ClaimResult {
    let rank = quantile.rank(stats.sent);
    let measured = (stats.sent > 0 && rank <= stats.timed()).then(|| stats.latency_ms.at(quantile));
    let in_time = |ms: f64| if sign == "<" { ms < limit_ms } else { ms <= limit_ms };
    let held = rank <= stats.ok && measured.is_some_and(in_time);
    let of_limit = if sign == "<" { format!("{name}{sign}{limit_ms:.0}ms") } else { name };
    claim(of_limit, measured, sign, limit_ms, Unit::Milliseconds, held)
}

fn none(name: String, count: u64, unit: Unit) -> ClaimResult {
    claim(format!("{name}==0"), Some(count as f64), "==", 0.0, unit, count == 0)
}

fn claim(name: String, measured: Option<f64>, sign: &str, threshold: f64, unit: Unit, held: bool) -> ClaimResult {
    let (arm, comparison) = ("target".to_owned(), sign.to_owned());
    let (kind, general) = (ClaimKind::Effect, false);
    ClaimResult { name, kind, arm, measured, comparison, threshold, unit, general, held }
}

/// Whether too few streams were open at the same time.
fn low_pressure(target: &ArmResult, phase: &PhaseResult, streams: u32) -> Option<String> {
    let within = target.timeline.iter().filter(|row| (phase.from_ms..phase.to_ms).contains(&row.t_ms));
    let open: Vec<_> = within.map(|row| row.streams_active as f64).collect();
    let mean = open.iter().sum::<f64>() / open.len() as f64;
    (!open.is_empty() && mean < OPEN_SHARE_MIN * f64::from(streams)).then(|| {
        format!("the pressure was missing: {mean:.0} of {streams} streams were open on average (do they end too soon?)")
    })
}
