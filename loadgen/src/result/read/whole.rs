//! Whether a result has the servers that it is about.

use super::error::{Problem, printable};
use crate::result::{LabsResult, RunResult, SCHEMA_VERSION};

/// `arm` of a claim that compares arms, and of one about the only server.
const ALL: &str = "all";
const TARGET: &str = "target";

/// Checks that there is a server, each that a claim is about, and what `diagnose` found. `place` is where the run stands
/// in its file.
pub(super) fn check_run(run: &RunResult, place: &str) -> Result<(), Problem> {
    let place = || if place.is_empty() { String::new() } else { format!("{}: ", printable(place)) };
    if run.arms.is_empty() && run.target.is_none() {
        return Err(Problem::NoArms { place: place() });
    }
    if run.command == "diagnose" && (run.diagnosis.is_none() || run.target.is_none()) {
        return Err(Problem::NoDiagnosis);
    }
    let is_there = |arm: &str| match arm {
        ALL => !run.arms.is_empty(),
        TARGET => run.target.is_some(),
        arm => run.arms.contains_key(arm),
    };
    match run.verdict.claims.iter().find(|claim| !is_there(&claim.arm)) {
        Some(claim) => {
            let (arm, claim) = (printable(&claim.arm), printable(&claim.name));
            Err(Problem::MissingArm { place: place(), arm, claim })
        }
        None => Ok(()),
    }
}

/// Checks that there are labs, or reasons why there are none, and each lab for itself.
pub(super) fn check_labs(labs: &LabsResult) -> Result<(), Problem> {
    let reasons = labs.not_run.len() + labs.verdict.invalid_because.len();
    if labs.labs.is_empty() && reasons == 0 {
        return Err(Problem::NoLabs);
    }
    for (name, run) in &labs.labs {
        match run.schema_version {
            SCHEMA_VERSION => check_run(run, &format!("labs.{name}"))?,
            found if found > SCHEMA_VERSION => return Err(Problem::Newer { found }),
            found => return Err(Problem::Older { found }),
        }
    }
    Ok(())
}
