//! The general claims: each way in which a clean server or a vendor can fail, and the verdict on it.

use super::*;
use crate::lab::{StopFigure, whole_run};
use crate::result::ServerStop;

fn verdict_with(change: impl FnOnce(&mut RunResult)) -> Verdict {
    let mut result = as_claimed();
    change(&mut result);
    of_claims(claims(), &ALL, &result)
}

fn loaded<'a>(result: &'a mut RunResult, arm: &str) -> &'a mut PhaseResult {
    phase_of(result, arm, "loaded")
}

/// A failure and its effect on the figures of a phase.
type Failing = (&'static str, fn(&mut PhaseResult));

/// Each way in which a server can fail a general claim.
const UNCLEAN: [Failing; 8] = [
    ("probes not answered 2xx", |phase| {
        let stats = phase.probes.get_mut("health_async").unwrap();
        (stats.ok, stats.failed) = (199, 1);
    }),
    ("streams failed", |phase| phase.streams.as_mut().unwrap().failed = 1),
    ("without a token", |phase| phase.streams.as_mut().unwrap().without_token = 1),
    // Each stream is buffered and sent when it is complete.
    ("delay added", |phase| phase.streams.as_mut().unwrap().time_to_first_token_ms.p90 = 15_000.0),
    ("time between tokens", |phase| phase.streams.as_mut().unwrap().inter_token_ms.p50 = 0.1),
    // Silent after three tokens.
    ("tokens received", |phase| phase.vendor_load.as_mut().unwrap().tokens_received_so_far = 3 * 60),
    // A thread per stream.
    ("more threads than idle", |phase| phase.threads_peak = Some(65)),
    ("at the vendor throughout", |phase| phase.vendor_load.as_mut().unwrap().active_throughout = 59),
];

#[test]
fn a_fix_that_is_unclean_is_not_held() {
    for (named, change) in UNCLEAN {
        let verdict = verdict_with(|result| change(loaded(result, "fixed")));
        assert_eq!(verdict.result, Outcome::NotHeld, "{named}: {verdict:#?}");
        let missed: Vec<_> = verdict.claims.iter().filter(|claim| !claim.held).collect();
        assert!(missed.iter().all(|claim| claim.arm == "fixed" && claim.name.contains(named)), "{named}: {missed:#?}");
        assert_eq!(missed.len(), 1, "{named}: {missed:#?}");
    }
}

#[test]
fn a_control_that_is_unclean_makes_the_run_invalid() {
    for (named, change) in UNCLEAN {
        let verdict = verdict_with(|result| change(loaded(result, "control")));
        assert_eq!(verdict.result, Outcome::Invalid, "{named}: {verdict:#?}");
        assert!(verdict.invalid_because.iter().all(|why| why.contains("control is not clean")), "{verdict:#?}");
    }
}

#[test]
fn a_server_with_the_mistake_need_not_be_clean() {
    for (named, change) in UNCLEAN.iter().filter(|(named, _)| !named.contains("probes")) {
        let verdict = verdict_with(|result| change(loaded(result, "broken")));
        assert_eq!(verdict.result, Outcome::Held, "{named}: {verdict:#?}");
    }
}

#[test]
fn a_faulty_vendor_makes_the_run_invalid() {
    let failings: [Failing; 3] = [
        ("calls failed by the vendor", |phase| phase.vendor_load.as_mut().unwrap().failed = 1),
        ("vendor's token rate", |phase| phase.vendor.as_mut().unwrap().tokens_sent = 0),
        ("vendor's tokens per call", |phase| phase.vendor_load.as_mut().unwrap().completed_so_far = 60),
    ];
    for (named, change) in failings {
        for arm in ALL {
            let verdict = verdict_with(|result| change(loaded(result, arm)));
            assert_eq!(verdict.result, Outcome::Invalid, "{named}: {verdict:#?}");
            let all_named = verdict.invalid_because.iter().all(|why| why.contains("pressure") && why.contains(named));
            assert!(all_named, "{named}: {verdict:#?}");
        }
    }
}

/// Also for a repair.
#[test]
fn a_vendor_that_fails_is_not_held_against_a_repair() {
    let with = |change: fn(&mut PhaseResult)| {
        let mut result = as_claimed();
        change(loaded(&mut result, "fixed"));
        of_repair(demo(), "fixed", &result).result
    };
    assert_eq!(with(|_| {}), Outcome::Held);
    assert_eq!(with(|phase| phase.vendor_load.as_mut().unwrap().failed = 60), Outcome::Invalid);
    for (named, change) in UNCLEAN {
        assert_eq!(with(change), Outcome::NotHeld, "{named}");
    }
}

/// A server without the mistake is as clean as the control: every claim about the mistake fails, and the run is
/// valid.
#[test]
fn a_removed_mistake_is_not_held() {
    let verdict = verdict_with(|result| drop(result.arms.insert("broken".into(), arm(2.0, 60))));
    assert_eq!(verdict.result, Outcome::NotHeld, "{verdict:#?}");
    let of_mistake = verdict.claims.iter().filter(|claim| claim.kind == ClaimKind::Effect && claim.arm != "fixed");
    let held: Vec<_> = of_mistake.filter(|claim| claim.held).collect();
    assert!(held.is_empty(), "{held:#?}");
}

/// A condition rules out another cause of an effect. Without the effect it does not matter.
#[test]
fn another_cause_makes_an_effect_invalid() {
    let busy = |result: &mut RunResult| loaded(result, "broken").cpu_cores = Some(0.9);
    let verdict = verdict_with(busy);
    assert_eq!(verdict.result, Outcome::Invalid, "{verdict:#?}");
    assert!(verdict.invalid_because[0].contains("another cause"), "{verdict:#?}");
    let verdict = verdict_with(|result| {
        result.arms.insert("broken".into(), arm(2.0, 60));
        busy(result);
    });
    assert_eq!(verdict.result, Outcome::NotHeld, "{verdict:#?}");
}

/// If no claim about the mistake applies, nothing was shown.
#[test]
fn without_a_claim_about_the_mistake_the_run_is_invalid() {
    let of_fix: Vec<_> = claims().iter().filter(|claim| claim.figure.arms() == ["fixed"]).cloned().collect();
    let verdict = of_claims(&of_fix, &ALL, &as_claimed());
    assert_eq!(verdict.result, Outcome::Invalid);
    assert!(verdict.invalid_because[0].contains("no claim about the mistake"), "{verdict:?}");
    assert_eq!(of_claims(&of_fix, &["fixed"], &as_claimed()).result, Outcome::Held);
}

/// Probes that all failed have no latency. For the fix that is a failed claim, not missing evidence.
#[test]
fn a_fix_whose_probes_all_fail_is_not_held() {
    let verdict = verdict_with(|result| {
        for stats in loaded(result, "fixed").probes.values_mut() {
            (stats.ok, stats.failed) = (0, stats.sent);
        }
    });
    assert_eq!(verdict.result, Outcome::NotHeld, "{verdict:#?}");
}

/// macOS and some containers do not report the threads of a process.
#[test]
fn unavailable_figures_are_not_required() {
    let verdict = verdict_with(|result| {
        for phase in result.arms.values_mut().flat_map(|arm| &mut arm.phases) {
            phase.threads_peak = None;
        }
    });
    assert_eq!(verdict.result, Outcome::Held, "{verdict:#?}");
    assert!(verdict.claims.iter().all(|claim| !claim.name.contains("threads")));
}

/// The lab has asked the server to end: that it answers no more is no fault of it.
#[test]
fn probes_after_the_signal_to_end_are_not_required() {
    let verdict = |failing: &str| {
        verdict_with(|result| {
            phase_of(result, "fixed", "scale").to_ms = 4000.0;
            result.arms.get_mut("fixed").unwrap().stop = Some(stop(true));
            let stats = phase_of(result, "fixed", failing).probes.get_mut("health_sync").unwrap();
            (stats.ok, stats.failed) = (100, 100);
        })
    };
    assert_eq!(verdict("scale").result, Outcome::Held);
    assert_eq!(verdict("below").result, Outcome::NotHeld);
}

#[test]
fn a_fix_that_does_not_end_is_not_held() {
    let exit = |ended| {
        let mut claims = claims().to_vec();
        claims.push(Claim::at_most(2500.0, "exit after SIGTERM", whole_run("fixed").stop(StopFigure::Exit)));
        let mut result = as_claimed();
        result.arms.get_mut("fixed").unwrap().stop = ended;
        of_claims(&claims, &ALL, &result).result
    };
    assert_eq!(exit(Some(stop(true))), Outcome::Held);
    assert_eq!(exit(Some(stop(false))), Outcome::NotHeld);
    assert_eq!(exit(None), Outcome::Invalid, "it was not asked to");
}

/// After 3 s of the run.
fn stop(ended: bool) -> ServerStop {
    let exit_code = ended.then_some(0);
    ServerStop { signal: "SIGTERM".to_owned(), signalled_ms: 3000.0, alive_ms: 2000.0, ended, exit_code }
}
