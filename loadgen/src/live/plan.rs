//! The phases of a run, as planned: which one is under way, and how much time is left.

use std::time::Duration;

use super::PhaseFrame;
use crate::lab::Phase;
use crate::numbers::in_millis;

/// The phases of a run, in order.
#[derive(Debug, Default)]
pub struct Plan(Vec<PlannedPhase>);

/// A phase, as planned.
#[derive(Debug)]
pub struct PlannedPhase {
    /// Its name in the result.
    pub name: String,
    /// What it does, for people.
    pub title: String,
    /// How long it takes; the most, if it ends with its loads.
    pub takes: Duration,
}

impl Plan {
    /// A run of these phases.
    #[must_use]
    pub fn new(phases: impl IntoIterator<Item = PlannedPhase>) -> Self {
        Plan(phases.into_iter().collect())
    }

    /// Plans another time for the phase with this index.
    pub fn plan_anew(&mut self, index: usize, takes: Duration) {
        self.0.get_mut(index).into_iter().for_each(|phase| phase.takes = takes);
    }

    /// The phase with this index, which began at `began`; both times are since the start of the run.
    #[must_use]
    pub fn at(&self, index: usize, began: Duration, now: Duration) -> Option<PhaseFrame> {
        let PlannedPhase { name, title, takes } = self.0.get(index)?;
        let left = (began + *takes).saturating_sub(now);
        let later: Duration = self.0[index + 1..].iter().map(|phase| phase.takes).sum();
        Some(PhaseFrame {
            name: name.clone(),
            title: title.clone(),
            number: index + 1,
            of: self.0.len(),
            left_ms: in_millis(left),
            run_left_ms: in_millis(left + later),
        })
    }
}

impl From<&Phase> for PlannedPhase {
    fn from(phase: &Phase) -> Self {
        PlannedPhase { name: phase.name.clone(), title: phase.title.clone(), takes: phase.takes() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_that_of_the_phase_and_of_those_after_it() {
        let phase =
            |name: &str, secs| PlannedPhase { name: name.into(), title: name.into(), takes: Duration::from_secs(secs) };
        let plan = Plan::new([phase("baseline", 2), phase("loaded", 12), phase("scale", 3)]);
        let at = |index, began, now| {
            let phase = plan.at(index, Duration::from_secs(began), Duration::from_secs(now)).unwrap();
            (phase.number, phase.of, phase.left_ms, phase.run_left_ms)
        };
        assert_eq!(at(0, 0, 0), (1, 3, 2_000.0, 17_000.0));
        assert_eq!(at(1, 3, 7), (2, 3, 8_000.0, 11_000.0));
        assert_eq!(at(2, 15, 60), (3, 3, 0.0, 0.0), "it took longer than planned");
        assert!(plan.at(3, Duration::ZERO, Duration::ZERO).is_none());
        let mut plan = plan;
        plan.plan_anew(1, Duration::from_secs(20));
        assert_eq!(plan.at(1, Duration::from_secs(3), Duration::from_secs(7)).unwrap().run_left_ms, 19_000.0);
    }
}
