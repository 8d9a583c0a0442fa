//! The servers and the phases of a run, in the order in which they are shown.

use serde_json::Value;

use super::{ArmResult, PhaseResult, RunResult};

/// The name of the one server under load, as claims have it.
pub const TARGET: &str = "target";

/// A server with its name.
pub type NamedArm<'a> = (&'a str, &'a ArmResult);

impl RunResult {
    /// The servers: the arms in the order of their lab, or the one server under load.
    #[must_use]
    pub fn servers(&self) -> Vec<NamedArm<'_>> {
        let order: Vec<_> = self.parameters.get("arms").and_then(Value::as_array).into_iter().flatten().collect();
        let place = |name: &str| order.iter().position(|listed| *listed == name).unwrap_or(order.len());
        let mut servers: Vec<NamedArm> = self.arms.iter().map(|(name, arm)| (name.as_str(), arm)).collect();
        servers.sort_by_key(|(name, _)| place(name));
        servers.extend(self.target.as_ref().map(|target| (TARGET, target)));
        servers
    }

    /// The phases in the order in which they were run: those of one arm alone are among the others.
    #[must_use]
    pub fn phases(&self) -> Vec<&PhaseResult> {
        let mut phases: Vec<&PhaseResult> = Vec::new();
        for phase in self.servers().into_iter().flat_map(|(_, arm)| &arm.phases) {
            if !phases.iter().any(|known| known.name == phase.name) {
                phases.push(phase);
            }
        }
        // Stable: where nothing was measured, all begin at 0.
        phases.sort_by(|one, other| one.from_ms.total_cmp(&other.from_ms));
        phases
    }

    /// The loads of each phase, as its parameters describe them.
    pub(crate) fn loads_by_phase(&self) -> impl Iterator<Item = &Vec<Value>> {
        let phases = self.parameters.get("phases").and_then(Value::as_array).into_iter().flatten();
        phases.filter_map(|phase| phase["loads"].as_array())
    }
}

impl ArmResult {
    /// Its phase of this name, if it has it.
    #[must_use]
    pub fn phase(&self, name: &str) -> Option<&PhaseResult> {
        self.phases.iter().find(|phase| phase.name == name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::result::{Environment, Generator};

    fn phase(name: &str, from_ms: f64) -> PhaseResult {
        PhaseResult { name: name.to_owned(), from_ms, ..PhaseResult::default() }
    }

    fn result(arms: &[(&str, Vec<PhaseResult>)], order: &[&str]) -> RunResult {
        let environment = Environment { cores: 1, memory_bytes: 1, os: String::new() };
        let mut result =
            RunResult::new("lab", environment, [("arms".into(), json!(order))].into(), Generator::default());
        let arm = |phases: &Vec<PhaseResult>| ArmResult { phases: phases.clone(), ..ArmResult::default() };
        result.arms = arms.iter().map(|(name, phases)| ((*name).to_owned(), arm(phases))).collect();
        result
    }

    #[test]
    fn arms_are_in_the_order_of_their_lab_and_unknown_ones_behind() {
        let all = ["broken", "broken-160", "control", "fixed", "new"].map(|name| (name, Vec::new()));
        let names = |result: &RunResult| -> Vec<String> {
            result.servers().into_iter().map(|(name, _)| name.to_owned()).collect()
        };
        let ordered = result(&all, &["fixed", "control", "broken-160", "broken"]);
        assert_eq!(names(&ordered), ["fixed", "control", "broken-160", "broken", "new"]);
        assert_eq!(names(&result(&all, &[])), ["broken", "broken-160", "control", "fixed", "new"]);
    }

    #[test]
    fn a_phase_of_one_arm_is_where_it_was_run() {
        let (idle, loaded, many) = (phase("baseline", 0.0), phase("loaded", 900.0), phase("many", 500.0));
        let broken = vec![idle.clone(), loaded.clone()];
        let run = result(&[("broken", broken), ("fixed", vec![idle, many, loaded])], &[]);
        let names: Vec<_> = run.phases().into_iter().map(|phase| &phase.name).collect();
        assert_eq!(names, ["baseline", "many", "loaded"]);
    }
}
