//! The generator itself.

use serde::{Deserialize, Serialize};

use super::Quantiles;

/// The generator itself. If it lagged, the figures of the run cannot be trusted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Generator {
    /// How late probes and streams were sent, compared with the schedule.
    pub schedule_lag_ms: Quantiles,
    /// Probes and streams that could not be sent because the generator had no descriptors or ports left.
    #[serde(default)]
    pub not_sent: u64,
}
