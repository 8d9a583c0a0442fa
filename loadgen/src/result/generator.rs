//! The load generator: its machine, and how well it kept to its schedule.

use serde::{Deserialize, Serialize};

use super::{Histograms, Quantiles};

/// The machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Environment {
    /// Logical processors.
    pub cores: usize,
    /// Main memory.
    pub memory_bytes: u64,
    /// Operating system and its version.
    pub os: String,
}

/// The generator itself. If it lagged, the figures of the run cannot be trusted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Generator {
    /// How late probes and streams were sent, compared with the schedule.
    pub schedule_lag_ms: Quantiles,
    /// The histogram of it, as `schedule_lag_ms` (`run`, `verify`).
    #[serde(default, skip_serializing_if = "Histograms::is_empty")]
    pub histograms: Histograms,
    /// Probes and streams that could not be sent because the generator had no descriptors or ports left.
    #[serde(default)]
    pub not_sent: u64,
}
