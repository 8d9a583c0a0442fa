//! What a busy machine explains, and what it does not.

use super::*;

/// A result that meets all claims, but in `loaded` an idle part and the fixed server's health-sync waited this long.
fn with_waits(idle_ms: f64, fixed_sync_ms: f64) -> RunResult {
    let mut result = as_claimed();
    for arm in ALL {
        phase_of(&mut result, arm, "loaded").disturbance =
            Some(Disturbance { probe_late_ms: 1.0, vendor_answer_ms: idle_ms });
    }
    phase_of(&mut result, "fixed", "loaded").probes = probes(fixed_sync_ms);
    result
}

fn verdict_of(result: &RunResult) -> Verdict {
    of_claims(claims(), &ALL, result)
}

/// 10 s of broken over 400 ms of fixed are less than 100 times.
#[test]
fn a_fix_delayed_like_everything_else_is_not_blamed() {
    let verdict = verdict_of(&with_waits(350.0, 400.0));
    assert_eq!(verdict.result, Outcome::Invalid, "{verdict:#?}");
    assert!(verdict.invalid_because[0].starts_with(BUSY), "{verdict:#?}");
    // Waits of the control count as well.
    let mut result = with_waits(2.0, 400.0);
    let probes = &mut phase_of(&mut result, "control", "loaded").probes;
    probes.get_mut("health_sync").unwrap().latency_ms.max = 380.0;
    assert_eq!(verdict_of(&result).result, Outcome::Invalid);
}

#[test]
fn a_slow_fix_is_blamed_on_a_busy_machine_too() {
    assert_eq!(verdict_of(&with_waits(2.0, 400.0)).result, Outcome::NotHeld);
    assert_eq!(verdict_of(&with_waits(30.0, 9_000.0)).result, Outcome::NotHeld);
    // Every failed claim must be explained.
    let mut result = with_waits(350.0, 400.0);
    phase_of(&mut result, "broken", "loaded").probes = probes(2.0);
    assert_eq!(verdict_of(&result).result, Outcome::NotHeld);
}

#[test]
fn short_waits_do_not_excuse_a_missing_mistake() {
    let mut result = with_waits(15.0, 2.0);
    result.arms.insert("broken".into(), arm(2.0, 60));
    assert_eq!(verdict_of(&result).result, Outcome::NotHeld);
}

#[test]
fn a_latency_shared_by_idle_parts_proves_nothing() {
    let slow = Claim::at_least(100.0, "health-sync p99", at("broken", "loaded").p99("health_sync"));
    let mut result = with_waits(2.0, 2.0);
    phase_of(&mut result, "broken", "loaded").probes = probes(150.0);
    assert_eq!(of_claims(std::slice::from_ref(&slow), &ALL, &result).result, Outcome::Held);
    let mut busy = with_waits(160.0, 2.0);
    phase_of(&mut busy, "broken", "loaded").probes = probes(150.0);
    assert_eq!(of_claims(&[slow], &ALL, &busy).result, Outcome::Invalid);
}

#[test]
fn waits_in_another_phase_excuse_nothing() {
    let mut result = with_waits(2.0, 400.0);
    phase_of(&mut result, "fixed", "below").disturbance =
        Some(Disturbance { probe_late_ms: 500.0, vendor_answer_ms: 500.0 });
    assert_eq!(verdict_of(&result).result, Outcome::NotHeld);
}

#[test]
fn only_a_control_delayed_by_the_machine_is_run_again() {
    let with = |idle_ms, control_ms| {
        let mut result = with_waits(idle_ms, 2.0);
        phase_of(&mut result, "control", "loaded").probes = probes(control_ms);
        verdict_of(&result)
    };
    let busy = with(100.0, 150.0);
    assert!(busy.result == Outcome::Invalid && was_busy(&busy), "{busy:#?}");
    let broken = with(2.0, 150.0);
    assert!(broken.result == Outcome::Invalid && !was_busy(&broken), "{broken:#?}");
    assert!(!was_busy(&verdict_of(&as_claimed())));
}
