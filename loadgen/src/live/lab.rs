//! The frames of a lab.

use std::time::Duration;

use super::{ArmNow, Frame, Frames, Gauges, Plan, PlannedPhase};
use crate::engine::RunningArm;
use crate::lab::Phase;

/// Builds the frames of a lab while it runs, and reads the `/metrics` of its broken-servers twice a second meanwhile, for
/// their pools.
pub struct LabFrames {
    phases: Vec<&'static Phase>,
    plan: Plan,
    frames: Frames,
    gauges: Vec<Option<Gauges>>,
}

impl LabFrames {
    /// A run of these phases, whose arms have started. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(phases: Vec<&'static Phase>, arms: &[RunningArm]) -> Self {
        let mut frames = Frames::new();
        arms.iter().for_each(|arm| frames.add(arm.name, Some(arm.side), arm.mistake.clone()));
        // fixed-server has no pool to be shown.
        let gauges = arms.iter().map(|arm| arm.mistake.as_ref().map(|_| Gauges::start(arm.servers())));
        let plan = Plan::new(phases.iter().map(|phase| PlannedPhase::from(*phase)));
        LabFrames { phases, plan, gauges: gauges.collect(), frames }
    }

    /// The frame at `now`, since the start of the run, in `phase`. The arms are those of the start.
    pub fn at(&mut self, phase: &Phase, now: Duration, arms: &[RunningArm]) -> &Frame {
        self.frames.update(now, self.phase_frame(phase, now, arms));
        for (index, (arm, gauges)) in arms.iter().zip(&self.gauges).enumerate() {
            let arm_now = ArmNow {
                server: &arm.server_samples,
                probes: &arm.probes,
                asked: arm.asked(now),
                pool: gauges.as_ref().and_then(Gauges::pool),
                vendor: arm.latest_counts(),
            };
            self.frames.update_arm(index, now, arm_now);
        }
        self.frames.frame()
    }

    fn phase_frame(&self, phase: &Phase, now: Duration, arms: &[RunningArm]) -> Option<super::PhaseFrame> {
        let index = self.phases.iter().position(|planned| std::ptr::eq(*planned, phase))?;
        let began = arms.iter().filter_map(|arm| arm.began(phase)).min().unwrap_or(now);
        self.plan.at(index, began, now)
    }
}
