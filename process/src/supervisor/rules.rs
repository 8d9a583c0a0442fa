//! The rules of a supervisor, as data.

use std::time::Duration;

/// When a supervisor restarts its program. The default is what Kubernetes does with a container that has a liveness
/// probe and no other setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// From when the program listens to the first probe (`initialDelaySeconds`). That it listens takes the place of a
    /// startup probe.
    pub initial_delay: Duration,
    /// From one probe to the next (`periodSeconds`).
    pub period: Duration,
    /// How long a probe may take (`timeoutSeconds`).
    pub timeout: Duration,
    /// Failed probes in a row after which the program is stopped (`failureThreshold`).
    pub failure_threshold: u32,
    /// From SIGTERM to SIGKILL (`terminationGracePeriodSeconds`).
    pub grace: Duration,
    /// How long a restart waits.
    pub back_off: BackOffRules,
    /// Ends in a row, without a successful probe in between, after which it gives up. Kubernetes never does.
    pub ends_max: u32,
}

/// How long a restart waits: not at all the first time, then `first`, doubled each time, up to `max`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackOffRules {
    /// The wait before the second restart.
    pub first: Duration,
    /// The longest wait.
    pub max: Duration,
    /// A program that has run this long is restarted without a wait, like one that ends for the first time.
    pub reset_after: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            initial_delay: Duration::ZERO,
            period: Duration::from_secs(10),
            timeout: Duration::from_secs(1),
            failure_threshold: 3,
            grace: Duration::from_secs(30),
            back_off: BackOffRules::default(),
            ends_max: 5,
        }
    }
}

impl Default for BackOffRules {
    fn default() -> Self {
        BackOffRules {
            first: Duration::from_secs(10),
            max: Duration::from_secs(5 * 60),
            reset_after: Duration::from_secs(10 * 60),
        }
    }
}
