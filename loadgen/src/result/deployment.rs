//! What became of the processes of an arm: restarts, ready replicas, answers of the balancer.

use serde::{Deserialize, Serialize};

use crate::balancer::{BalancerStats, ReadyBackends};

/// What became of the processes of an arm that is no single process.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DeploymentStats {
    /// Restarts by the supervisor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restarts: Vec<RestartStats>,
    /// Replicas, if there is a balancer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u64>,
    /// How many of them were ready since when, in the time of the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ready_over_time: Vec<ReadyBackends>,
    /// The balancer's counts at the end of the run, in its own time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balancer: Option<BalancerStats>,
}

/// A restart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RestartStats {
    /// When the process had failed its probes, before it was stopped, or had ended by itself.
    pub at_ms: f64,
    /// `liveness`: stopped because it failed its probes. `ended`: by itself.
    pub cause: String,
    /// The last failed probe and the exit status, or the exit status and the last lines.
    pub detail: String,
    /// How long the restart waited.
    pub back_off_ms: f64,
}

/// The same in one phase, from its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PhaseDeployment {
    /// Restarts, if there is a supervisor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarts: Option<u64>,
    /// Those of a process that failed its probes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub liveness_restarts: Option<u64>,
    /// Ready replicas and answers of the balancer, if there is one.
    #[serde(flatten)]
    pub balancer: Option<PhaseBalancer>,
}

/// The balancer in one phase.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PhaseBalancer {
    /// Replicas.
    pub replicas: u64,
    /// The fewest that were ready at once.
    pub ready_least: u64,
    /// The most that were ready at once.
    pub ready_most: u64,
    /// Requests that it answered 503, because no replica was ready.
    pub no_backend: u64,
    /// Requests that it answered 502, because a replica failed before its answer.
    pub bad_gateway: u64,
    /// Answers that a replica broke off.
    pub broken_off: u64,
    /// Requests that it gave up because a replica sent nothing for too long: answered 504, or cut in the middle.
    #[serde(default)]
    pub silent: u64,
    /// Connections to replicas that it opened for requests.
    #[serde(default)]
    pub connections: u64,
}

impl PhaseBalancer {
    /// What the balancer's counts say of the phase between them.
    #[must_use]
    pub fn between(begun: &BalancerStats, ended: &BalancerStats) -> Self {
        let in_phase = ended.ready_over_time.iter().filter(|change| change.at_ms > begun.uptime_ms);
        let ready = || in_phase.clone().map(|change| change.ready).chain([begun.ready]);
        let since = |count: fn(&BalancerStats) -> u64| count(ended).saturating_sub(count(begun));
        PhaseBalancer {
            replicas: ended.backends.len() as u64,
            ready_least: ready().min().unwrap_or(0),
            ready_most: ready().max().unwrap_or(0),
            no_backend: since(|stats| stats.no_backend),
            bad_gateway: since(BalancerStats::bad_gateways),
            broken_off: since(|stats| stats.broken_off),
            silent: since(|stats| stats.silent + stats.cut),
            connections: since(|stats| stats.connections),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balancer::BackendStats;

    fn stats(uptime_ms: f64, ready: &[(f64, u64)], no_backend: u64) -> BalancerStats {
        let change = |(at_ms, ready): &(f64, u64)| ReadyBackends { at_ms: *at_ms, ready: *ready };
        BalancerStats {
            uptime_ms,
            ready: ready.last().map_or(0, |(_, ready)| *ready),
            ready_over_time: ready.iter().map(change).collect(),
            backends: vec![BackendStats::default(); 3],
            no_backend,
            bad_gateway: [("connection refused".to_owned(), no_backend)].into(),
            silent: no_backend,
            cut: no_backend,
            ..BalancerStats::default()
        }
    }

    #[test]
    fn a_phase_has_what_was_ready_at_its_start_and_what_changed_in_it() {
        let up = [(0.0, 0), (100.0, 3)];
        let down = [&up[..], &[(500.0, 2), (510.0, 0)]].concat();
        let (idle, loaded, after) = (stats(200.0, &up, 0), stats(400.0, &up, 2), stats(900.0, &down, 7));
        let phase = PhaseBalancer::between(&idle, &loaded);
        assert_eq!((phase.ready_least, phase.ready_most, phase.no_backend, phase.bad_gateway), (3, 3, 2, 2));
        let phase = PhaseBalancer::between(&loaded, &after);
        assert_eq!((phase.ready_least, phase.ready_most, phase.no_backend, phase.replicas), (0, 3, 5, 3));
        assert_eq!(phase.silent, 10, "504s, and streams that were cut");
        let latched = PhaseBalancer::between(&after, &stats(2000.0, &down, 9));
        assert_eq!((latched.ready_least, latched.ready_most), (0, 0));
    }
}
