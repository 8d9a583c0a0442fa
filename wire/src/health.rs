//! The responses of the health and readiness routes.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// The response of `/debug/health-sync` and `/debug/health-async`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealthProbe {
    /// Always `ok`: what counts is that the route answered.
    pub status: String,
    /// When the response was made, in seconds since 1970.
    pub timestamp: f64,
    /// Which route answered: `sync` or `async`; `resolve` or `read-file`.
    #[serde(rename = "type")]
    pub kind: String,
}

impl HealthProbe {
    /// The response of the route that runs on a thread pool.
    #[must_use]
    pub fn sync() -> Self {
        Self::now("sync")
    }

    /// The response of the route that runs on the event loop.
    #[must_use]
    pub fn r#async() -> Self {
        Self::now("async")
    }

    fn now(kind: &str) -> Self {
        HealthProbe { status: "ok".into(), timestamp: unix_seconds(), kind: kind.into() }
    }
}

/// The response of `/debug/resolve`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolveProbe {
    /// Status, time, and `resolve`.
    #[serde(flatten)]
    pub probe: HealthProbe,
    /// The addresses from the system's resolver.
    pub addresses: Vec<IpAddr>,
}

impl ResolveProbe {
    /// The response after looking up a name.
    #[must_use]
    pub fn new(addresses: Vec<IpAddr>) -> Self {
        ResolveProbe { probe: HealthProbe::now("resolve"), addresses }
    }
}

/// The response of `/debug/read-file`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileProbe {
    /// Status, time, and `read-file`.
    #[serde(flatten)]
    pub probe: HealthProbe,
    /// The length of the file, in bytes.
    pub bytes: usize,
}

impl FileProbe {
    /// The response after reading a file of this length.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        FileProbe { probe: HealthProbe::now("read-file"), bytes }
    }
}

/// The response of `/health`: the source's thread-exhaustion detector, applied to the right pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealthReport {
    /// The verdict on `checks`.
    pub status: HealthStatus,
    /// When the response was made, in seconds since 1970.
    pub timestamp: f64,
    /// The figures behind the verdict.
    pub checks: HealthChecks,
}

/// How the probed pool answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// Within [`HealthReport::WARN_SECONDS`].
    Healthy,
    /// Later than that, but within the probe's bound.
    Degraded,
    /// Not within the probe's bound.
    Unhealthy,
}

/// The figures of `/health`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealthChecks {
    /// Seconds from asking the pool for a thread until its 10 ms of work were done, or the bound if they were not done by
    /// then.
    pub thread_pool_response_time: f64,
    /// Whether that was over [`HealthReport::WARN_SECONDS`].
    pub thread_exhaustion_warning: bool,
    /// Set when the bound was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_pool_error: Option<String>,
}

impl HealthReport {
    /// From here on the source calls a pool exhausted: 0.1 s for 10 ms of work.
    pub const WARN_SECONDS: f64 = 0.1;

    /// A pool that did the work in `seconds`.
    #[must_use]
    pub fn completed_in(seconds: f64) -> Self {
        let slow = seconds > Self::WARN_SECONDS;
        let status = if slow { HealthStatus::Degraded } else { HealthStatus::Healthy };
        Self::new(status, seconds, slow, None)
    }

    /// A pool that had not done the work after `bound` seconds.
    #[must_use]
    pub fn timed_out_after(bound: f64) -> Self {
        let why = format!("no thread was free within {bound} s");
        Self::new(HealthStatus::Unhealthy, bound, true, Some(why))
    }

    fn new(status: HealthStatus, seconds: f64, warning: bool, error: Option<String>) -> Self {
        let checks = HealthChecks {
            thread_pool_response_time: seconds,
            thread_exhaustion_warning: warning,
            thread_pool_error: error,
        };
        HealthReport { status, timestamp: unix_seconds(), checks }
    }
}

/// The response of `/live`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Liveness {
    /// Always `alive`: what counts is that the route answered.
    pub status: String,
}

impl Liveness {
    /// The response of a process that can answer.
    #[must_use]
    pub fn alive() -> Self {
        Liveness { status: "alive".into() }
    }
}

/// The response of `/ready`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// `ready` (200) or `not ready` (503).
    pub status: String,
    /// If not ready, why: `overloaded` or `shutting down`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Readiness {
    /// Ready for requests.
    #[must_use]
    pub fn ready() -> Self {
        Readiness { status: "ready".into(), reason: None }
    }

    /// Not ready, and why.
    #[must_use]
    pub fn not_ready(reason: &str) -> Self {
        Readiness { status: "not ready".into(), reason: Some(reason.into()) }
    }
}

/// Seconds since 1970. A clock before 1970 reads as 0.
#[must_use]
pub fn unix_seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
