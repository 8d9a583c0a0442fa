//! What is shown of a lab while it runs: a dashboard where there is a screen for it, otherwise a line per second.

use std::time::Duration;

use super::labs_stage::LabsStage;
use crate::dashboard::LabState;
use crate::engine::{Progress, RunningArm};
use crate::lab::{Lab, Phase};
use crate::live::{Frame, LabFrames};
use crate::report::{LiveLines, Terminal};

/// What is shown of a lab while it runs.
pub(super) struct LabView<'a> {
    lab: &'static Lab,
    phases: Vec<&'static Phase>,
    stage: Option<&'a LabsStage>,
    /// For the dashboard, once the arms have started.
    frames: Option<LabFrames>,
    terminal: &'a Terminal,
    lines: LiveLines<'a>,
    /// Whether lines have been printed, below their heading.
    has_lines: bool,
}

impl<'a> LabView<'a> {
    /// Shows `lab`, which goes through `phases`, on `stage`; without one, as lines on `terminal`.
    pub(super) fn new(
        lab: &'static Lab,
        phases: Vec<&'static Phase>,
        stage: Option<&'a LabsStage>,
        terminal: &'a Terminal,
    ) -> Self {
        if let Some(stage) = stage {
            stage.set(lab, LabState::Running(Box::default()));
        }
        LabView { lab, phases, stage, frames: None, terminal, lines: LiveLines::new(terminal), has_lines: false }
    }

    /// Sets what follows apart from the lines, if there are any.
    pub(super) fn end(self) {
        if self.has_lines {
            self.terminal.line("");
        }
    }

    /// The screen, unless its dashboard has ended by itself.
    fn stage(&self) -> Option<&'a LabsStage> {
        self.stage.filter(|stage| stage.is_on())
    }

    fn head(&mut self, arms: &[RunningArm]) {
        if !std::mem::replace(&mut self.has_lines, true) {
            self.lines.started(arms);
        }
    }
}

impl Progress for LabView<'_> {
    fn started(&mut self, arms: &[RunningArm]) {
        match self.stage() {
            Some(_) => self.frames = Some(LabFrames::start(self.phases.clone(), arms)),
            None => self.head(arms),
        }
    }

    fn second(&mut self, phase: &Phase, now: Duration, arms: &[RunningArm]) {
        if self.stage().is_none() {
            self.head(arms);
            self.lines.second(phase, now, arms);
        }
    }

    fn tick(&mut self, phase: &Phase, now: Duration, arms: &[RunningArm]) {
        match (self.stage(), &mut self.frames) {
            (Some(stage), Some(frames)) => {
                let frame: Frame = frames.at(phase, now, arms).clone();
                stage.set(self.lab, LabState::Running(Box::new(frame)));
            }
            // Nobody looks at it any more: the servers' metrics need not be read.
            _ => self.frames = None,
        }
    }
}
