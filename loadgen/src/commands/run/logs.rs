//! Where the requests of a run are counted.

use std::sync::Arc;
use std::time::Duration;

use super::super::observation::{Observation, PhaseWindow};
use super::plan::RunPlan;
use crate::http::Endpoint;
use crate::measure::StreamLog;
use crate::result::TargetResult;
use crate::traffic::{LoadPlan, RunningLoad, WarmUp};

/// Where the requests of a run are counted, besides among all that were seen.
pub(super) struct Logs {
    /// Those that are in the figures: without those that were due in the warm-up.
    pub(super) measured: Arc<StreamLog>,
    /// Those of each server, if there are several.
    of_each: Vec<(Endpoint, Arc<StreamLog>)>,
}

impl Logs {
    pub(super) fn of(plan: &RunPlan, seen: &Observation) -> Self {
        let part_of = |whole: &Arc<StreamLog>| Arc::new(StreamLog::part_of(whole.clone()));
        let measured = if plan.warm_up.is_zero() { seen.streams.clone() } else { part_of(&seen.streams) };
        measured.require(plan.required_of_each());
        let each = plan.endpoints.iter().filter(|_| plan.endpoints.len() > 1);
        let of_each = each.map(|endpoint| (endpoint.clone(), part_of(&measured))).collect();
        Logs { measured, of_each }
    }

    /// Starts the load.
    pub(super) fn start(&self, plan: &RunPlan, seen: &Observation) -> RunningLoad {
        let warm_up =
            (!plan.warm_up.is_zero()).then(|| WarmUp { takes: plan.measured_after(), log: seen.streams.clone() });
        let load = LoadPlan { warm_up, targets: self.of_each.clone(), ..plan.load.clone() };
        RunningLoad::start(load, self.measured.clone(), seen.lag.clone())
    }

    /// The figures of each server, if there are several: its probes in `window`, and rates over `elapsed`.
    pub(super) fn targets(
        &self,
        seen: &Observation,
        window: Option<&PhaseWindow>,
        elapsed: Duration,
    ) -> Vec<TargetResult> {
        if self.of_each.is_empty() {
            return Vec::new();
        }
        let probes = window.map(|window| seen.probes_of_each(window)).unwrap_or_default();
        let each = self.of_each.iter().zip(probes);
        let target = |((endpoint, log), probes): (&(Endpoint, Arc<StreamLog>), _)| TargetResult {
            url: endpoint.to_string(),
            streams: log.stats_with_histograms(elapsed),
            probes,
        };
        each.map(target).collect()
    }
}
