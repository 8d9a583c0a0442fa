//! The screen of one lab or of several: which are done, under way and to come, and the arms of those under way.

use std::sync::{Arc, Mutex, PoisonError};

use super::stage::Stage;
use crate::dashboard::{LabShown, LabState, draw, draw_labs};
use crate::lab::Lab;
use crate::live::Frame;
use crate::report::Terminal;

/// More arms may not fit on a screen.
const ARMS_THAT_FIT: usize = 4;

/// The screen of one lab or of several.
pub(super) struct LabsStage {
    stage: Stage,
    labs: Arc<Mutex<Vec<LabShown>>>,
}

impl LabsStage {
    /// Takes the screen for `labs`, none of which has begun, if it is wanted and there is one.
    pub(super) fn open(title: &str, labs: &[&'static Lab], wanted: bool, terminal: &Terminal) -> Option<Self> {
        let stage = Stage::open(title, wanted, terminal)?;
        let to_come = |lab: &&'static Lab| LabShown { name: lab.name, state: LabState::ToCome };
        let labs = Arc::new(Mutex::new(labs.iter().map(to_come).collect()));
        Some(LabsStage { stage, labs })
    }

    /// Whether it is still on the screen.
    pub(super) fn is_on(&self) -> bool {
        self.stage.is_on()
    }

    /// Shows how far a lab is.
    pub(super) fn set(&self, lab: &Lab, state: LabState) {
        let mut labs = self.labs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shown) = labs.iter_mut().find(|shown| shown.name == lab.name) {
            shown.state = state;
        }
        let running: Vec<_> = labs.iter().filter_map(LabShown::frame).collect();
        let pages = running.len() > 1 || running.iter().any(|frame| frame.arms.len() > ARMS_THAT_FIT);
        drop(running);
        drop(labs);
        let labs = self.labs.clone();
        self.stage.show(pages, move |screen, look| {
            let labs = labs.lock().unwrap_or_else(PoisonError::into_inner);
            match &labs[..] {
                [LabShown { state: LabState::Running(frame), .. }] => draw(frame, screen, look),
                [_] => draw(&Frame::default(), screen, look),
                labs => draw_labs(labs, screen, look),
            }
        });
    }
}
