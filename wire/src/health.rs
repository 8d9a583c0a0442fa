//! What the health and readiness routes answer.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// What `/debug/health-sync` and `/debug/health-async` answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealthProbe {
    /// Always `ok`: that an answer came is the finding.
    pub status: String,
    /// When the answer was made, in seconds since 1970.
    pub timestamp: f64,
    /// Which route answered: `sync` or `async`; `resolve` or `read-file`.
    #[serde(rename = "type")]
    pub kind: String,
}

impl HealthProbe {
    /// The answer of the route that a thread pool serves.
    #[must_use]
    pub fn sync() -> Self {
        Self::now("sync")
    }

    /// The answer of the route that the event loop serves.
    #[must_use]
    pub fn r#async() -> Self {
        Self::now("async")
    }

    fn now(kind: &str) -> Self {
        HealthProbe { status: "ok".into(), timestamp: unix_seconds(), kind: kind.into() }
    }
}

/// What `/debug/resolve` answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolveProbe {
    /// That an answer came, when, and `resolve`.
    #[serde(flatten)]
    pub probe: HealthProbe,
    /// What the system's resolver made of the name.
    pub addresses: Vec<IpAddr>,
}

impl ResolveProbe {
    /// The answer of a route that has looked up a name.
    #[must_use]
    pub fn new(addresses: Vec<IpAddr>) -> Self {
        ResolveProbe { probe: HealthProbe::now("resolve"), addresses }
    }
}

/// What `/debug/read-file` answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileProbe {
    /// That an answer came, when, and `read-file`.
    #[serde(flatten)]
    pub probe: HealthProbe,
    /// The length of the file, in bytes.
    pub bytes: usize,
}

impl FileProbe {
    /// The answer of a route that has read a file of this length.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        FileProbe { probe: HealthProbe::now("read-file"), bytes }
    }
}

/// What `/health` answers: the source's thread-exhaustion detector, pointed at the right pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealthReport {
    /// The verdict on `checks`.
    pub status: HealthStatus,
    /// When the answer was made, in seconds since 1970.
    pub timestamp: f64,
    /// What the verdict rests on.
    pub checks: HealthChecks,
}

/// How well the probed pool answers.
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
    /// Seconds from asking the pool for a thread until its 10 ms of work were done; the bound when
    /// they were not done by then.
    pub thread_pool_response_time: f64,
    /// Whether that was over [`HealthReport::WARN_SECONDS`].
    pub thread_exhaustion_warning: bool,
    /// Why there is no better figure, when the bound was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_pool_error: Option<String>,
}

impl HealthReport {
    /// From here on the source calls a pool exhausted: 0.1 s for 10 ms of work.
    pub const WARN_SECONDS: f64 = 0.1;

    /// A pool that did its work `seconds` after it was asked.
    #[must_use]
    pub fn completed_in(seconds: f64) -> Self {
        let slow = seconds > Self::WARN_SECONDS;
        let status = if slow { HealthStatus::Degraded } else { HealthStatus::Healthy };
        Self::new(status, seconds, slow, None)
    }

    /// A pool that had not done its work after `bound` seconds.
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

/// What `/ready` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// `ready` (200) or `not ready` (503).
    pub status: String,
    /// Why not, when not: `overloaded` or `shutting down`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Readiness {
    /// Send work here.
    #[must_use]
    pub fn ready() -> Self {
        Readiness { status: "ready".into(), reason: None }
    }

    /// Send work elsewhere, and why.
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
