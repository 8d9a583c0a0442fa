//! The settings of a balancer.

use std::time::Duration;

use crate::http::Endpoint;

/// How a balancer works.
#[derive(Debug, Clone)]
pub struct BalancerSettings {
    /// Where the requests go.
    pub backends: Vec<Endpoint>,
    /// What is asked of each backend.
    pub readiness: ReadinessRules,
    /// How long a connection to a backend is kept without a request; none: a connection for each request.
    pub idle_timeout: Option<Duration>,
    /// How long a backend may send nothing before its answer is cut; none: for ever.
    pub silence_timeout: Option<Duration>,
}

/// When a backend gets requests: the rules of Kubernetes' readiness probes.
#[derive(Debug, Clone)]
pub struct ReadinessRules {
    /// The path that is asked.
    pub path: String,
    /// From one probe to the next.
    pub period: Duration,
    /// How long a probe may take.
    pub timeout: Duration,
    /// Failed probes in a row after which a backend gets no requests. One success brings it back.
    pub failure_threshold: u32,
}
