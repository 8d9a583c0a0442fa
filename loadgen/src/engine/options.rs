//! Options of a lab run.

use std::path::PathBuf;
use std::time::Duration;

use crate::lab::{ArmRun, Phase, Profile};
use crate::result::Side;

/// Options of a lab run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The sides to run.
    pub sides: Vec<Side>,
    /// Whether broken-server runs alone and is judged by the claims on fixed-server.
    pub expect_fixed: bool,
    /// The mistake that broken-server runs instead of the lab's own, if any.
    pub mistake: Option<String>,
    /// Whether the fast profile is run, for the result.
    pub fast: bool,
    /// The database of all servers, in place of one in the memory of each. It may have a password.
    pub database_url: Option<String>,
    /// Where the programs are.
    pub program_dir: PathBuf,
    /// How long each program may take to start.
    pub start_timeout: Duration,
    /// The command of the user, for the result.
    pub command: String,
}

impl Options {
    /// Whether a run of arms that are judged as these includes `phase`.
    #[must_use]
    pub fn runs<'a>(&self, phase: &Phase, mut judged_as: impl Iterator<Item = &'a str>) -> bool {
        judged_as.any(|judged_as| phase.is_for(judged_as)) && !(self.expect_fixed && phase.of_mistake)
    }

    /// The phases of a run of these arms.
    #[must_use]
    pub fn phases(&self, profile: &'static Profile, arm_runs: &[ArmRun]) -> Vec<&'static Phase> {
        let runs = |phase: &&Phase| self.runs(phase, arm_runs.iter().map(|arm_run| arm_run.judged_as));
        profile.phases.iter().filter(runs).collect()
    }
}
