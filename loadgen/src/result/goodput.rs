//! Whether goodput over time says something.

use serde_json::Value;

use super::RunResult;

/// Whether requests came at a rate in several phases, so that what was answered in one can be compared with another.
#[must_use]
pub fn has_rates_in_several_phases(result: &RunResult) -> bool {
    let is_rate = |load: &Value| load["schedule"].as_str().is_some_and(|schedule| schedule.contains("per second"));
    result.loads_by_phase().filter(|loads| loads.iter().any(is_rate)).count() > 1
}
