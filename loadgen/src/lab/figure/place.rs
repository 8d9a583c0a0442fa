//! Where a figure was measured.

use crate::result::{ArmResult, PhaseResult, RunResult};

/// Where a figure was measured. Arms and phases have their names in the lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The arm.
    pub arm: String,
    /// The phase; `None` for the whole run.
    pub phase: Option<String>,
    /// The load of the phase, for figures of requests; `None` for all of its loads.
    pub load: Option<String>,
}

/// A phase of an arm.
#[must_use]
pub fn at(arm: impl Into<String>, phase: impl Into<String>) -> Place {
    Place { arm: arm.into(), phase: Some(phase.into()), load: None }
}

/// An arm in the whole run.
#[must_use]
pub fn whole_run(arm: impl Into<String>) -> Place {
    Place { arm: arm.into(), phase: None, load: None }
}

impl Place {
    /// The load of this name alone, for figures of requests.
    #[must_use]
    pub fn load(self, name: impl Into<String>) -> Self {
        Place { load: Some(name.into()), ..self }
    }

    pub(super) fn arm_in<'a>(&self, result: &'a RunResult) -> Option<&'a ArmResult> {
        result.arms.get(&self.arm)
    }

    pub(super) fn phase_in<'a>(&self, result: &'a RunResult) -> Option<&'a PhaseResult> {
        let name = self.phase.as_deref()?;
        self.arm_in(result)?.phases.iter().find(|phase| phase.name == name)
    }
}
