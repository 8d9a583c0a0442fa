//! The measurements of one phase of an arm.

use std::time::Duration;

use super::cases::RunningCases;
use super::evidence::PhaseEvidence;
use super::phase_loads::PhaseLoads;
use crate::lab::Phase;
use crate::result::PhaseDeployment;

/// The measurements of one phase of an arm.
pub(super) struct PhaseRecord {
    pub(super) phase: &'static Phase,
    /// When it started, before its streams.
    pub(super) begun: Duration,
    pub(super) from: Duration,
    pub(super) to: Duration,
    /// The loads that it added.
    pub(super) loads: PhaseLoads,
    /// Its cases, if it has any.
    pub(super) cases: Option<RunningCases>,
    /// Tokens received from the start of the run to the end of the phase.
    pub(super) tokens_received: u64,
    /// What was read from outside, once the phase has ended.
    pub(super) evidence: Option<PhaseEvidence>,
    /// What became of the server's processes in it.
    pub(super) deployment: Option<PhaseDeployment>,
}

impl PhaseRecord {
    /// Whether the phase has nothing more to do: its cases have ended or, where it has none, its loads.
    pub(super) fn is_done(&self) -> bool {
        self.cases.as_ref().map_or_else(|| self.loads.are_done(), RunningCases::have_ended)
    }

    /// How many streams and calls its loads ask for at `now`, since the start of the run.
    pub(super) fn asked(&self, now: Duration) -> u64 {
        let is_over = self.to > Duration::ZERO;
        self.loads.asked(self.phase, now.saturating_sub(self.begun), is_over)
    }
}
