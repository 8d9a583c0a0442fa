//! How a lab is to be run.

use std::path::PathBuf;
use std::time::Duration;

use crate::lab::Phase;
use crate::result::Side;

/// How to run a lab.
#[derive(Debug, Clone)]
pub struct Options {
    /// The sides to run.
    pub sides: Vec<Side>,
    /// Whether broken-server runs alone and is judged by the claims on fixed-server.
    pub expect_fixed: bool,
    /// The mistake that broken-server runs in place of the lab's own, if so.
    pub mistake: Option<String>,
    /// Whether the numbers are the lab's short ones, for the result.
    pub fast: bool,
    /// Where the programs are.
    pub program_dir: PathBuf,
    /// How long each program may take to listen.
    pub start_timeout: Duration,
    /// The command that asked for it, for the result.
    pub command: String,
}

impl Options {
    /// Whether a run of arms that play these parts has `phase`.
    #[must_use]
    pub fn runs<'a>(&self, phase: &Phase, mut judged_as: impl Iterator<Item = &'a str>) -> bool {
        judged_as.any(|judged_as| phase.is_for(judged_as)) && !(self.expect_fixed && phase.of_mistake)
    }
}
