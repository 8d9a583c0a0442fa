//! What the processes of an arm used in a phase.

use serde::{Deserialize, Serialize};

/// What the processes of an arm used in a phase, all together, from its start (its ramp included) to its end. Each is
/// absent where the system does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PhaseProcess {
    /// Resident memory in bytes.
    pub rss_bytes: Option<Level>,
    /// Threads.
    pub threads: Option<Level>,
    /// Open descriptors.
    pub fds: Option<Level>,
}

/// A level in a phase.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Level {
    /// Before its loads began.
    pub start: u64,
    /// The highest one seen: it is looked at every 250 ms.
    pub peak: u64,
    /// At its end.
    pub end: u64,
}

impl Level {
    /// The end minus the start: negative if it fell.
    #[must_use]
    pub fn growth(&self) -> f64 {
        self.end as f64 - self.start as f64
    }
}
