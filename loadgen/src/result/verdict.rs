//! The verdict and its claims, as in the result file.

use serde::{Deserialize, Serialize};

use super::Unit;

/// The verdict on a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verdict {
    /// Held only if all claims held and the run is valid. A run that was not judged counts as held.
    pub result: Outcome,
    /// Whether it was judged: `loadgen run` without an objective only measures.
    #[serde(default = "judged")]
    pub judged: bool,
    /// The claims, in order.
    pub claims: Vec<ClaimResult>,
    /// The reasons why the run is invalid, if it is.
    #[serde(default)]
    pub invalid_because: Vec<String>,
    /// Warnings: failed probes, streams without a token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Older results do not have the field; all of them were judged.
fn judged() -> bool {
    true
}

impl Verdict {
    /// A placeholder until the run is judged.
    #[must_use]
    pub fn open() -> Self {
        let (claims, invalid_because, warnings) = Default::default();
        Verdict { result: Outcome::Invalid, judged: true, claims, invalid_because, warnings }
    }

    /// The exit code for this verdict.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.result {
            Outcome::Held => 0,
            Outcome::NotHeld => 1,
            Outcome::Invalid => 3,
        }
    }
}

/// The outcome of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Outcome {
    /// All claims and preconditions are met.
    #[serde(rename = "held")]
    Held,
    /// At least one claim is not met.
    #[serde(rename = "not held")]
    NotHeld,
    /// No conclusion: the pressure was missing, the control was not clean, or the generator lagged.
    #[serde(rename = "invalid")]
    Invalid,
}

impl Outcome {
    /// The name in output and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Held => "held",
            Outcome::NotHeld => "not held",
            Outcome::Invalid => "invalid",
        }
    }
}

/// The kind of a claim, which decides what it means if it is not met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ClaimKind {
    /// A claim: not met, the run is not held.
    #[default]
    Effect,
    /// A precondition about the pressure: not met, the run is invalid.
    Pressure,
    /// A precondition about the control: not met, the mistake may not be the cause, and the run is invalid.
    Control,
    /// A precondition that rules out another cause: not met, the run is invalid.
    Condition,
}

/// One claim and its figure.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClaimResult {
    /// The claim in a few words.
    pub name: String,
    /// Claim or kind of precondition.
    #[serde(default)]
    pub kind: ClaimKind,
    /// The arm that it is about; `all` for a comparison, `target` if there is one server.
    pub arm: String,
    /// The figure; null if nothing was measured.
    pub measured: Option<f64>,
    /// `>=`, `<=`, `<`, `>` or `==`.
    #[cfg_attr(test, schemars(extend("enum" = [">=", "<=", "<", ">", "=="])))]
    pub comparison: String,
    /// The value that it is compared with.
    pub threshold: f64,
    /// The unit of both: `unit` in JSON, and `unit_ms` where the lab defines a unit of time.
    #[serde(flatten)]
    pub unit: Unit,
    /// Whether it is the same for every lab.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub general: bool,
    /// Whether it is met.
    pub held: bool,
}
