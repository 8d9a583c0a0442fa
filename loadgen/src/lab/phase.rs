//! Phases of a lab.

use std::time::Duration;

use super::{Action, Case, Load};

/// The phase without load.
pub const BASELINE: &str = "baseline";
/// The phase under load whose probes represent the lab.
pub const LOADED: &str = "loaded";

/// A step of a lab: it adds load, waits, then measures.
#[derive(Debug, Clone)]
pub struct Phase {
    /// Its name in the result.
    pub name: String,
    /// Its title in output.
    pub title: String,
    /// The only arm that has it; all arms if `None`.
    pub only: Option<String>,
    /// Whether it only shows the mistake, so that a repair does not get it.
    pub of_mistake: bool,
    /// What is done to the programs, before its loads start or while they run.
    pub actions: Vec<Action>,
    /// Loads that it adds to those that are open.
    pub loads: Vec<Load>,
    /// Requests that it makes one after another once its loads have their effect: the rows of its table.
    pub cases: Vec<Case>,
    /// Wait after the ramp, until the load has its effect.
    pub settle: Duration,
    /// Duration of the measurement.
    pub hold: Duration,
    /// Whether the measurement ends as soon as its cases do or, where it has none, the loads that end by themselves;
    /// `hold` is then the most that it takes.
    pub until_done: bool,
}

impl Phase {
    /// A phase for all arms without load and without duration.
    #[must_use]
    pub fn new(name: impl Into<String>, title: impl Into<String>) -> Self {
        Phase {
            name: name.into(),
            title: title.into(),
            only: None,
            of_mistake: false,
            actions: Vec::new(),
            loads: Vec::new(),
            cases: Vec::new(),
            settle: Duration::ZERO,
            hold: Duration::ZERO,
            until_done: false,
        }
    }

    /// For this arm alone.
    #[must_use]
    pub fn only(self, arm: impl Into<String>) -> Self {
        Phase { only: Some(arm.into()), ..self }
    }

    /// Only to show the mistake: not for a repair.
    #[must_use]
    pub fn of_mistake(self) -> Self {
        Phase { of_mistake: true, ..self }
    }

    /// With this action.
    #[must_use]
    pub fn action(mut self, action: Action) -> Self {
        self.actions.push(action);
        self
    }

    /// With this load as well.
    #[must_use]
    pub fn adds(mut self, load: Load) -> Self {
        self.loads.push(load);
        self
    }

    /// With these cases as well.
    #[must_use]
    pub fn cases(mut self, cases: impl IntoIterator<Item = Case>) -> Self {
        self.cases.extend(cases);
        self
    }

    /// Measured only after this wait.
    #[must_use]
    pub fn settle(self, settle: Duration) -> Self {
        Phase { settle, ..self }
    }

    /// Measured for this long.
    #[must_use]
    pub fn hold(self, hold: Duration) -> Self {
        Phase { hold, ..self }
    }

    /// Measured until its cases are done or, where it has none, its loads; at most for this long. Loads at a rate or with
    /// a concurrency go on until then.
    #[must_use]
    pub fn until_done(self, at_most: Duration) -> Self {
        Phase { hold: at_most, until_done: true, ..self }
    }

    /// Whether the arm judged as `judged_as` has it.
    #[must_use]
    pub fn is_for(&self, judged_as: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == judged_as)
    }

    /// Time over which its loads start.
    #[must_use]
    pub fn ramp(&self) -> Duration {
        self.loads.iter().map(|load| load.schedule.ramp()).max().unwrap_or_default()
    }

    /// Its duration; the most that it takes, if it ends with its loads.
    #[must_use]
    pub fn takes(&self) -> Duration {
        self.ramp() + self.settle + self.hold
    }

    /// Its streams.
    pub fn streams(&self) -> impl Iterator<Item = &Load> {
        self.loads.iter().filter(|load| load.is_stream())
    }

    /// Its non-streaming calls.
    pub fn calls(&self) -> impl Iterator<Item = &Load> {
        self.loads.iter().filter(|load| !load.is_stream())
    }

    /// Most of its requests that can be unanswered at once.
    #[must_use]
    pub fn in_flight_max(&self) -> u64 {
        self.loads.iter().map(|load| load.schedule.in_flight_max(self.takes())).sum()
    }
}
