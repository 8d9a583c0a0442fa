//! The arms of a run, and what each is judged as.

use super::{Arm, Profile};
use crate::result::Side;

/// An arm of a run.
#[derive(Debug, Clone, Copy)]
pub struct ArmRun {
    /// The arm whose phases and claims apply to it.
    pub judged_as: &'static str,
    /// The arm whose program and flags it has. The result has its name.
    pub arm: &'static Arm,
    /// The arm whose vendor it has.
    pub vendor_of: &'static Arm,
}

/// The arms of a run of these sides. With `expect_fixed` it is broken-server alone, judged as the arm with the
/// fix, to check a repair.
#[must_use]
pub fn select_arms(profile: &'static Profile, sides: &[Side], expect_fixed: bool) -> Vec<ArmRun> {
    if expect_fixed {
        let repaired = profile.arm(Side::Broken.as_str()).zip(profile.arm(profile.repair_judged_as));
        return repaired
            .map(|(broken, fixed)| ArmRun { judged_as: &fixed.name, arm: broken, vendor_of: fixed })
            .into_iter()
            .collect();
    }
    let chosen = profile.arms.iter().filter(|arm| sides.contains(&arm.side));
    chosen.map(|arm| ArmRun { judged_as: &arm.name, arm, vendor_of: arm }).collect()
}
