//! The results of several labs in one file, as written by `loadgen labs --out`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::result::{Environment, RunResult, Verdict};

/// Several labs that were run one after the other.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LabsResult {
    /// [`SCHEMA_VERSION`](crate::result::SCHEMA_VERSION).
    #[cfg_attr(test, schemars(extend("const" = crate::result::SCHEMA_VERSION)))]
    pub schema_version: u32,
    /// `labs`.
    #[cfg_attr(test, schemars(extend("const" = "labs")))]
    pub command: String,
    /// The whole command line, for a shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_line: Option<String>,
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

/// A lab of several: its name, and its result or why it could not be run.
pub type NamedLab<'a> = (&'a str, Result<&'a RunResult, &'a str>);

impl LabsResult {
    /// All labs in the order in which they were named.
    #[must_use]
    pub fn in_order(&self) -> Vec<NamedLab<'_>> {
        let order: Vec<_> = self.parameters.get("names").and_then(Value::as_array).into_iter().flatten().collect();
        let place = |name: &str| order.iter().position(|listed| *listed == name).unwrap_or(order.len());
        let run = self.labs.iter().map(|(name, result)| (name.as_str(), Ok(result)));
        let not_run = self.not_run.iter().map(|(name, why)| (name.as_str(), Err(why.as_str())));
        let mut labs: Vec<NamedLab> = run.chain(not_run).collect();
        labs.sort_by_key(|(name, _)| place(name));
        labs
    }
}
