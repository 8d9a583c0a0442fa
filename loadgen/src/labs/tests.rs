//! Tests of all labs as data: names, arms, phases, claims.

use std::collections::HashSet;

use super::common::secs;
use super::*;
use crate::lab::{BASELINE, LOADED, Server, select_arms};
use crate::result::{ClaimKind, Side};

/// Every lab with each of its profiles.
fn profiles() -> impl Iterator<Item = (String, &'static Profile)> {
    let of_labs = all()
        .iter()
        .flat_map(|lab| [(format!("{}, normal", lab.name), &lab.normal), (format!("{}, fast", lab.name), &lab.fast)]);
    of_labs.chain([("demo".to_owned(), demo().1)])
}

/// A claim about an unknown arm is never judged, so a typing error would remove a claim.
#[test]
fn every_claim_names_existing_arms_phases_and_probes() {
    for (name, profile) in profiles() {
        let figures = profile.claims.iter().flat_map(|claim| {
            let condition = claim.applies_if.as_ref().map(|what| &what.figure);
            std::iter::once(&claim.figure).chain(condition).map(move |figure| (claim, figure))
        });
        for (claim, (place, source)) in
            figures.flat_map(|(claim, figure)| figure.measured().into_iter().map(move |what| (claim, what)))
        {
            let context = format!("{name}: {}: {place:?}", claim.name);
            assert!(profile.arm(&place.arm).is_some(), "{context}");
            if let Some(probe) = source.probe() {
                assert!(profile.probes.iter().any(|there| there.name == probe), "{context}");
            }
            let Some(phase) = &place.phase else { continue };
            let phase = profile.phases.iter().find(|there| there.name == *phase);
            assert!(phase.is_some_and(|phase| phase.is_for(&place.arm)), "{context}");
            let loads = || phase.into_iter().flat_map(|phase| &phase.loads);
            assert!(place.load.iter().all(|name| loads().any(|load| load.name == *name)), "{context}");
        }
    }
}

/// Loads of one name are counted together.
#[test]
fn loads_of_one_name_have_answers_of_one_kind() {
    for (name, profile) in profiles() {
        for phase in &profile.phases {
            let kinds: HashSet<_> = phase.loads.iter().map(|load| (&load.name, load.is_stream())).collect();
            let names: HashSet<_> = phase.loads.iter().map(|load| &load.name).collect();
            assert_eq!(kinds.len(), names.len(), "{name}, {}", phase.name);
        }
    }
}

#[test]
fn every_action_is_within_its_phase_and_for_an_arm_that_has_it() {
    for (name, profile) in profiles() {
        for phase in &profile.phases {
            for action in &phase.actions {
                assert!(action.at <= phase.takes(), "{name}, {}: {action:?}", phase.name);
                let arms = profile.arms.iter().filter(|arm| phase.is_for(&arm.name) && action.is_for(&arm.name));
                assert!(arms.count() > 0, "{name}, {}: {action:?}", phase.name);
            }
        }
    }
}

#[test]
fn names_are_unique_and_begin_with_a_side() {
    let names: HashSet<_> = all().iter().map(|lab| lab.name).collect();
    assert_eq!(names.len(), all().len());
    for (name, profile) in profiles() {
        let arms: HashSet<_> = profile.arms.iter().map(|arm| &arm.name).collect();
        assert_eq!(arms.len(), profile.arms.len(), "{name}");
        for arm in &profile.arms {
            assert!(arm.name.starts_with(arm.side.as_str()), "{name}: {arm:?}");
        }
        let phases: HashSet<_> = profile.phases.iter().map(|phase| &phase.name).collect();
        assert_eq!(phases.len(), profile.phases.len(), "{name}");
        // The `baseline` and `probes` of a result come from these two.
        let of_all = |wanted| profile.phases.iter().any(|phase| phase.name == wanted && phase.only.is_none());
        assert!(of_all(BASELINE) && of_all(LOADED), "{name}: {phases:?}");
    }
}

/// A repair is judged by the claims about the fix, so there must be some.
#[test]
fn every_lab_has_a_control_and_claims_about_the_fix() {
    for (name, profile) in profiles() {
        let claims = |kind| profile.claims.iter().filter(move |claim| claim.kind == kind);
        assert!(claims(ClaimKind::Control).count() > 0, "{name} has no clean control");
        for arm in ["broken", "fixed", profile.repair_judged_as] {
            let alone = claims(ClaimKind::Effect).filter(|claim| claim.figure.arms() == [arm]);
            assert!(alone.count() > 0, "{name} claims nothing of {arm} alone");
        }
    }
}

#[test]
fn a_lab_takes_at_most_30_s_and_10_s_in_tests() {
    for lab in all() {
        assert!(lab.normal.takes() <= secs(30), "{}: {:?}", lab.name, lab.normal.takes());
        assert!(lab.fast.takes() <= secs(10), "{}: {:?}", lab.name, lab.fast.takes());
    }
}

#[test]
fn a_typing_error_gets_the_list_and_the_nearest_name() {
    let message = find("pool-exhaustoin").unwrap_err();
    assert!(message.contains("did you mean 'pool-exhaustion'?"), "{message}");
    assert!(find("foo").err().is_some_and(|message| message.starts_with("unknown lab. The labs are: pool")));
    assert!(all().iter().all(|lab| message.contains(lab.name)), "{message}");
}

#[test]
fn a_repair_is_judged_as_the_fix_with_its_vendor() {
    for lab in all() {
        let arm_runs = select_arms(&lab.normal, &Side::ALL, true);
        let [arm_run] = arm_runs[..] else { panic!("{}: {arm_runs:?}", lab.name) };
        assert_eq!((arm_run.judged_as, arm_run.arm.name.as_str()), (lab.normal.repair_judged_as, "broken"));
        assert_eq!(arm_run.vendor_of.name, arm_run.judged_as);
        assert_eq!(arm_run.arm.server, Server::OwnMistake, "{}", lab.name);
    }
}

#[test]
fn a_side_is_all_of_its_arms() {
    let arms = |sides: &[Side]| {
        select_arms(&all()[0].normal, sides, false).iter().map(|arm_run| arm_run.judged_as).collect::<Vec<_>>()
    };
    assert_eq!(arms(&[Side::Broken]), ["broken", "broken-8"]);
    assert_eq!(arms(&Side::ALL), ["broken", "broken-8", "control", "fixed"]);
}
