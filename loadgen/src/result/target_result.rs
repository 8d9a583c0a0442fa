//! One of several servers under the same load.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ProbeStats, StreamStats};

/// One of several servers that the requests of a load went to in turn.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TargetResult {
    /// Its URL.
    pub url: String,
    /// The requests that went to it.
    pub streams: StreamStats,
    /// Its health probes while it was loaded, by probe.
    pub probes: BTreeMap<String, ProbeStats>,
}
