//! Figures of an arm's processes: restarts, ready replicas, what the balancer answered itself.

use super::{Figure, Place, Source};
use crate::result::{PhaseBalancer, RunResult, Unit};

/// A figure of an arm's processes in a phase, from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentFigure {
    /// Restarts by the supervisor.
    Restarts,
    /// Those of a process that failed its probes, and did not end by itself.
    LivenessRestarts,
    /// The fewest replicas that were ready at once.
    ReadyLeast,
    /// The most replicas that were ready at once.
    ReadyMost,
    /// Requests that the balancer answered 503, because no replica was ready.
    NoBackend,
    /// Requests that it answered 502, because a replica failed before its answer.
    BadGateway,
    /// Answers that a replica broke off.
    BrokenOff,
    /// Requests that it gave up because a replica sent nothing for too long: answered 504, or cut in the middle.
    Silent,
    /// Connections to replicas that it opened for requests.
    Connections,
}

impl Source for DeploymentFigure {
    fn of(&self, place: &Place, result: &RunResult) -> Option<f64> {
        let deployment = place.phase_in(result)?.deployment?;
        let balancer = |count: fn(PhaseBalancer) -> u64| deployment.balancer.map(count);
        let count = match self {
            DeploymentFigure::Restarts => deployment.restarts,
            DeploymentFigure::LivenessRestarts => deployment.liveness_restarts,
            DeploymentFigure::ReadyLeast => balancer(|balancer| balancer.ready_least),
            DeploymentFigure::ReadyMost => balancer(|balancer| balancer.ready_most),
            DeploymentFigure::NoBackend => balancer(|balancer| balancer.no_backend),
            DeploymentFigure::BadGateway => balancer(|balancer| balancer.bad_gateway),
            DeploymentFigure::BrokenOff => balancer(|balancer| balancer.broken_off),
            DeploymentFigure::Silent => balancer(|balancer| balancer.silent),
            DeploymentFigure::Connections => balancer(|balancer| balancer.connections),
        };
        count.map(|count| count as f64)
    }

    fn unit(&self) -> Unit {
        Unit::count(match self {
            DeploymentFigure::Restarts | DeploymentFigure::LivenessRestarts => "restarts",
            DeploymentFigure::ReadyLeast | DeploymentFigure::ReadyMost => "replicas",
            DeploymentFigure::NoBackend
            | DeploymentFigure::BadGateway
            | DeploymentFigure::BrokenOff
            | DeploymentFigure::Silent => "requests",
            DeploymentFigure::Connections => "connections",
        })
    }
}

impl Place {
    /// A figure of the server's processes.
    #[must_use]
    pub fn deployment(self, what: DeploymentFigure) -> Figure {
        Figure::new(self, what)
    }
}
