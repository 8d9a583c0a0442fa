//! The results of several labs in one file, as written by `loadgen labs --out`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::result::{Environment, RunResult, Verdict};

/// Several labs that were run one after the other.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LabsResult {
    /// [`SCHEMA_VERSION`](crate::result::SCHEMA_VERSION).
    pub schema_version: u32,
    /// `labs`.
    pub command: String,
    /// The machine.
    pub environment: Environment,
    /// The parameters of the command.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Value>,
    /// The result of each lab that was run, by its name.
    pub labs: BTreeMap<String, RunResult>,
    /// Why the others could not be run, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_run: BTreeMap<String, String>,
    /// The worst verdict of all labs, without claims of its own. Its `invalid_because` has the labs that could not
    /// be run.
    pub verdict: Verdict,
}
