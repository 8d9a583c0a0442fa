//! Tests of the verdict rule with constructed results.

use std::collections::BTreeMap;

use super::*;
use crate::environment::environment;
use crate::lab::{AppliesIf, Comparison, RequestFigure, at};
use crate::labs;
use crate::result::{
    ArmResult, Disturbance, ExpectedLoad, Generator, PhaseResult, ProbeStats, Quantiles, StreamStats, VendorLoad,
    VendorStats,
};

mod general;
mod requests;
mod starvation;

const ALL: [&str; 3] = ["broken", "control", "fixed"];

fn claims() -> &'static [Claim] {
    &demo().claims
}

fn demo() -> &'static Profile {
    labs::demo().1
}

/// The demo's arms with these claims.
fn profile(claims: &[Claim]) -> Profile {
    Profile { arms: demo().arms.clone(), claims: claims.to_vec(), ..Profile::default() }
}

fn of_claims(claims: &[Claim], arms: &[&str], result: &RunResult) -> Verdict {
    of_lab(&profile(claims), arms, result)
}

fn probes(sync_p99: f64) -> BTreeMap<String, ProbeStats> {
    let stats = |p99| ProbeStats {
        sent: 200,
        ok: 200,
        latency_ms: Quantiles { p50: p99, p90: p99, p99, max: p99 },
        ..ProbeStats::default()
    };
    BTreeMap::from([("health_sync".to_owned(), stats(sync_p99)), ("health_async".to_owned(), stats(2.0))])
}

/// An arm with this health-sync p99 while loaded and this many streams at its vendor; everything else is fine.
fn arm(loaded_p99: f64, at_vendor: u64) -> ArmResult {
    let phases = vec![
        PhaseResult { expected: None, streams: None, ..phase("baseline", 0, 2.0, 0) },
        phase("below", 39, 2.0, 39),
        phase("at", 40, loaded_p99, 40),
        phase("loaded", 60, loaded_p99, at_vendor),
        phase("scale", 2060, 2.0, 2060),
    ];
    ArmResult { phases, ..ArmResult::default() }
}

/// Two seconds with this many streams requested and at the vendor, which sends four tokens per second.
fn phase(name: &str, asked: u64, sync_p99: f64, at_vendor: u64) -> PhaseResult {
    let flat = |millis| Quantiles { p50: millis, p90: millis, p99: millis, max: millis };
    let streams = StreamStats {
        requested: asked,
        chunks: 8 * at_vendor,
        time_to_first_token_ms: flat(253.0),
        inter_token_ms: flat(250.0),
        ..StreamStats::default()
    };
    PhaseResult {
        name: name.to_owned(),
        to_ms: 2000.0,
        probes: probes(sync_p99),
        streams: Some(streams),
        vendor_peak_active: Some(at_vendor),
        vendor: Some(VendorStats { tokens_sent: 8 * at_vendor, active: at_vendor, ..VendorStats::default() }),
        cpu_cores: Some(0.01),
        threads_peak: Some(5),
        expected: Some(ExpectedLoad { streams: asked, first_token_ms: 250.0, gap_ms: 250.0, tokens: 60 }),
        vendor_load: Some(VendorLoad {
            active_throughout: at_vendor,
            active_mean: at_vendor as f64,
            tokens_sent_so_far: 8 * at_vendor,
            tokens_received_so_far: 8 * at_vendor,
            ..VendorLoad::default()
        }),
        disturbance: Some(Disturbance { probe_late_ms: 1.0, vendor_answer_ms: 2.0 }),
        ..PhaseResult::default()
    }
}

/// A result of the demo that meets all claims.
fn as_claimed() -> RunResult {
    let lag = Quantiles { p99: 1.0, ..Quantiles::default() };
    let generator = Generator { schedule_lag_ms: lag, ..Generator::default() };
    RunResult {
        arms: BTreeMap::from([
            ("broken".into(), arm(10_000.0, 40)),
            ("control".into(), ArmResult { side: Some(Side::Control), ..arm(2.0, 60) }),
            ("fixed".into(), arm(2.0, 60)),
        ]),
        ..RunResult::new("demo", environment(), BTreeMap::new(), generator)
    }
}

fn phase_of<'a>(result: &'a mut RunResult, arm: &str, phase: &str) -> &'a mut PhaseResult {
    let phases = &mut result.arms.get_mut(arm).unwrap().phases;
    phases.iter_mut().find(|candidate| candidate.name == phase).unwrap()
}

#[test]
fn met_claims_are_held() {
    let verdict = of_claims(claims(), &ALL, &as_claimed());
    assert_eq!(verdict.result, Outcome::Held, "{verdict:#?}");
    assert_eq!(verdict.claims.iter().filter(|claim| !claim.general).count(), claims().len());
    assert_eq!(verdict.exit_code(), 0);
}

#[test]
fn a_broken_server_that_stays_up_is_not_held() {
    let mut result = as_claimed();
    result.arms.insert("broken".into(), arm(2.0, 40));
    let verdict = of_claims(claims(), &["broken", "fixed"], &result);
    assert_eq!((verdict.result, verdict.exit_code()), (Outcome::NotHeld, 1));
    assert!(verdict.claims.iter().any(|claim| !claim.held));
}

#[test]
fn a_fixed_server_that_hangs_or_loses_streams_is_not_held() {
    let mut slow = as_claimed();
    slow.arms.insert("fixed".into(), arm(10_000.0, 60));
    assert_eq!(of_claims(claims(), &ALL, &slow).result, Outcome::NotHeld);
    let mut losing = as_claimed();
    phase_of(&mut losing, "fixed", "loaded").streams.as_mut().unwrap().truncated = 1;
    assert_eq!(of_claims(claims(), &ALL, &losing).result, Outcome::NotHeld);
}

#[test]
fn a_hang_at_another_number_is_not_held() {
    let mut early = as_claimed();
    phase_of(&mut early, "broken", "below").probes = probes(10_000.0);
    assert_eq!(of_claims(claims(), &ALL, &early).result, Outcome::NotHeld);
    let mut late = as_claimed();
    phase_of(&mut late, "broken", "at").probes = probes(2.0);
    assert_eq!(of_claims(claims(), &ALL, &late).result, Outcome::NotHeld);
    let mut wider = as_claimed();
    phase_of(&mut wider, "broken", "loaded").vendor_peak_active = Some(41);
    assert_eq!(of_claims(claims(), &ALL, &wider).result, Outcome::NotHeld);
}

#[test]
fn a_control_that_shows_the_effect_is_invalid() {
    let mut result = as_claimed();
    result.arms.insert("control".into(), arm(10_000.0, 60));
    let verdict = of_claims(claims(), &ALL, &result);
    assert_eq!(verdict.result, Outcome::Invalid);
    assert!(verdict.invalid_because.iter().any(|why| why.contains("control")), "{verdict:?}");
}

#[test]
fn lag_invalidates_short_latencies_only() {
    let mut result = as_claimed();
    result.generator.schedule_lag_ms.p99 = 25.0;
    let verdict = of_claims(claims(), &ALL, &result);
    assert_eq!(verdict.result, Outcome::Invalid);
    assert!(verdict.invalid_because.iter().all(|why| why.contains("lagged")), "{verdict:?}");
    // Compared with ten seconds, 25 ms are small: these claims alone hold.
    let long: Vec<_> =
        claims().iter().filter(|claim| claim.figure.latency_ms(&result) > Some(250.0)).cloned().collect();
    assert!(!long.is_empty());
    assert_eq!(of_claims(&long, &ALL, &result).result, Outcome::Held);
}

#[test]
fn missing_figures_are_invalid() {
    let mut result = as_claimed();
    phase_of(&mut result, "broken", "loaded").probes.clear();
    assert_eq!(of_claims(claims(), &ALL, &result).result, Outcome::Invalid);
    let mut unprobed = as_claimed();
    for stats in phase_of(&mut unprobed, "broken", "loaded").probes.values_mut() {
        stats.sent = 0;
    }
    assert_eq!(of_claims(claims(), &ALL, &unprobed).result, Outcome::Invalid);
}

#[test]
fn one_side_is_judged_by_its_own_claims() {
    let verdict = of_claims(claims(), &["broken"], &as_claimed());
    assert_eq!(verdict.result, Outcome::Held);
    assert!(verdict.claims.iter().all(|claim| claim.arm == "broken"), "{verdict:?}");
    let own = verdict.claims.iter().filter(|claim| !claim.general).count();
    assert!(own > 0 && own < claims().len());
    // The preconditions about the vendor still apply.
    assert!(verdict.claims.iter().any(|claim| claim.kind == ClaimKind::Pressure), "{verdict:?}");
}

#[test]
fn an_unrepaired_server_is_not_held() {
    let with = |vendor_peak, loaded_p99| {
        let mut result = as_claimed();
        result.arms = BTreeMap::from([("fixed".into(), arm(loaded_p99, vendor_peak))]);
        of_repair(demo(), "fixed", &result)
    };
    assert_eq!(with(60, 2.0).result, Outcome::Held);
    // Its streams wait for the pool: for a repair that is a failed claim, not missing pressure.
    assert_eq!(with(40, 2.0).result, Outcome::NotHeld);
    let asked_of_it = |claim: &&ClaimResult| claim.kind == ClaimKind::Effect;
    assert!(
        with(60, 2.0).claims.iter().filter(|claim| !claim.name.contains("vendor")).all(|claim| asked_of_it(&claim))
    );
}

#[test]
fn arms_without_claims_are_invalid() {
    assert_eq!(of_claims(claims(), &["broken-9"], &as_claimed()).result, Outcome::Invalid);
}

#[test]
fn a_claim_applies_only_under_its_condition() {
    let refused = || at("broken", "loaded").streams(RequestFigure::Status(500));
    let impossible = Claim::exactly(7, "seven refused", refused());
    let when = |comparison, threshold| AppliesIf { figure: refused(), comparison, threshold };
    let mut result = as_claimed();
    let verdict_when = |result: &RunResult, condition| {
        of_claims(&[impossible.clone().applies_if(condition), claims()[0].clone()], &ALL, result)
    };
    // It was not measured whether the claim applies.
    phase_of(&mut result, "broken", "loaded").streams = None;
    assert_eq!(verdict_when(&result, when(Comparison::Exactly, 0.0)).result, Outcome::Invalid);
    phase_of(&mut result, "broken", "loaded").streams = Some(StreamStats::default());
    assert_eq!(verdict_when(&result, when(Comparison::Exactly, 0.0)).result, Outcome::NotHeld);
    let left_out = verdict_when(&result, when(Comparison::AtLeast, 1.0));
    assert_eq!(left_out.result, Outcome::Held);
    assert_eq!(left_out.claims.iter().filter(|claim| !claim.general).count(), 1);
}

#[test]
fn the_original_script_judges_the_mean_alone() {
    let checks = |mean_ms| ClosedLoopStats { sent: 15, failed: 15, mean_ms, ..ClosedLoopStats::default() };
    assert_eq!(as_in_source(&checks(99.0)).result, Outcome::Held);
    assert_eq!(as_in_source(&checks(100.0)).result, Outcome::NotHeld);
    assert_eq!(as_in_source(&ClosedLoopStats::default()).result, Outcome::NotHeld);
}

fn of_objectives(texts: &[&str], target: ArmResult) -> Verdict {
    let objectives: Vec<Objective> = texts.iter().map(|text| text.parse().unwrap()).collect();
    let mut result = as_claimed();
    result.arms.clear();
    result.target = Some(target);
    of_run(&objectives, &result, Vec::new())
}

#[test]
fn objectives_are_read_and_judged() {
    let mut target = ArmResult { probes: probes(80.0), ..ArmResult::default() };
    target.streams.requested = 100;
    target.streams.completed = 98;
    target.streams.failed = 2;
    let held = ["health.p99<100ms", "health_sync.max<=80ms", "failed_share<=2%", "completed>=98", "lost == 2"];
    assert_eq!(of_objectives(&held, target.clone()).result, Outcome::Held);
    for missed in ["health.p99<80ms", "failed_share<1%", "lost==0", "completed>98"] {
        assert_eq!(of_objectives(&[missed], target.clone()).result, Outcome::NotHeld, "{missed}");
    }
    // Without a token there is no time to the first one.
    assert_eq!(of_objectives(&["ttft.p99<1s"], target.clone()).result, Outcome::Invalid);
    assert_eq!(of_objectives(&["other_probe.p99<1s"], target).result, Outcome::Invalid);
}

#[test]
fn an_objective_that_cannot_be_read_says_why() {
    for (text, why) in [
        ("health.p99", "no comparison"),
        ("health.p98<1s", "unknown metric"),
        ("speed<1s", "unknown metric"),
        ("health.p99<100", "duration"),
        ("failed_share<0.1", "share"),
        ("completed>many", "number"),
        ("completed>-1", "number"),
    ] {
        let error = text.parse::<Objective>().unwrap_err().to_string();
        assert!(error.contains(why) && error.contains(text), "{text}: {error}");
    }
}
