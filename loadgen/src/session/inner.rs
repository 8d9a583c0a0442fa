//! What changes in a session, behind one lock.

use std::collections::BTreeMap;
use std::time::Instant;

use tokio::sync::watch;

use super::SessionArm;
use super::found::Found;
use super::programs::{Measured, Programs};
use super::singles::SINGLES;
use super::state::{ArmState, SessionState, SingleStream, SinglesState};
use crate::live::Frames;

/// The mistake that a session begins with.
const FIRST_MISTAKE: &str = "pool-exhaustion";

/// What changes.
pub(super) struct Inner {
    pub(super) state: SessionState,
    pub(super) frames: Frames,
    /// The arms, in their order.
    pub(super) slots: Vec<Slot>,
    pub(super) singles: [SingleStream; SINGLES],
    /// What was found of each server that was started, the last ones only.
    pub(super) found: Vec<Found>,
    /// Number of the last health check by hand.
    pub(super) checks: u64,
    /// Whether the session has ended.
    pub(super) is_closed: bool,
    /// When somebody last asked for something.
    pub(super) asked_at: Instant,
}

/// An arm, whether or not it runs.
pub(super) struct Slot {
    /// What should run; none if nothing should.
    pub(super) wanted: watch::Sender<Option<Wanted>>,
    pub(super) programs: Option<Programs>,
    /// Measurements of the arm, or of the one that ran last.
    pub(super) measured: Option<Measured>,
    pub(super) checks_waiting: usize,
}

/// What an arm should run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) mistake: String,
    /// Counts the starts, so that the same programs can be started again.
    pub(super) start: u64,
}

impl Slot {
    fn new(wanted: watch::Sender<Option<Wanted>>) -> Self {
        Slot { wanted, programs: None, measured: None, checks_waiting: 0 }
    }
}

impl Inner {
    /// A session in which nothing runs. What each arm should run is told by `wanted`.
    pub(super) fn new(wanted: Vec<watch::Sender<Option<Wanted>>>) -> Self {
        let mut frames = Frames::endless();
        frames.add(SessionArm::Broken.as_str(), Some(SessionArm::Broken.side()), Some(FIRST_MISTAKE.to_owned()));
        frames.add(SessionArm::Fixed.as_str(), Some(SessionArm::Fixed.side()), None);
        let arms: BTreeMap<_, _> = SessionArm::ALL.into_iter().map(|arm| (arm, ArmState::default())).collect();
        Inner {
            state: SessionState {
                running: false,
                starting: false,
                mistake: FIRST_MISTAKE.to_owned(),
                streams: 0,
                arms,
                singles: SinglesState { arm: SessionArm::Broken, on: false },
                notice: None,
            },
            frames,
            slots: wanted.into_iter().map(Slot::new).collect(),
            singles: Default::default(),
            found: Vec::new(),
            checks: 0,
            is_closed: false,
            asked_at: Instant::now(),
        }
    }

    /// Wants the programs of `arm` to be started, again if they run.
    pub(super) fn want(&mut self, arm: SessionArm) {
        let mistake = self.state.mistake.clone();
        // Its keeper begins in a moment.
        self.state.arms.entry(arm).or_default().starting = true;
        self.slot(arm).wanted.send_modify(|wanted| {
            let start = wanted.as_ref().map_or(0, |wanted| wanted.start) + 1;
            *wanted = Some(Wanted { mistake, start });
        });
    }

    pub(super) fn slot(&mut self, arm: SessionArm) -> &mut Slot {
        &mut self.slots[arm.index()]
    }

    pub(super) fn running(&self, arm: SessionArm) -> Option<&Programs> {
        self.slots[arm.index()].programs.as_ref()
    }

    /// Holds this many streams on each arm.
    pub(super) fn hold(&mut self, streams: u32) {
        self.state.streams = streams;
        self.slots.iter().filter_map(|slot| slot.programs.as_ref()).for_each(|programs| programs.streams.hold(streams));
    }

    /// Closes the single streams.
    pub(super) fn end_singles(&mut self) {
        self.state.singles.on = false;
        self.slots.iter_mut().filter_map(|slot| slot.programs.as_mut()).for_each(|programs| programs.singles = None);
        self.singles = Default::default();
    }
}
