//! The verdict of a result and the claims that it rests on, as they are written to a file.

use serde::{Deserialize, Serialize};

/// What follows from a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verdict {
    /// Held only when every claim held and nothing speaks against the run. A run that was not judged
    /// holds too: nothing was asked of it, so nothing was missed.
    pub result: Outcome,
    /// Whether anything was asked: `loadgen run` without an objective measures and does not judge.
    #[serde(default = "judged")]
    pub judged: bool,
    /// The claims, in the order in which they were made.
    pub claims: Vec<ClaimResult>,
    /// Why the run proves nothing, when it is invalid.
    #[serde(default)]
    pub invalid_because: Vec<String>,
    /// What a reader should know beside the claims: probes that failed, streams without a token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Results from before there was the word were all judged.
fn judged() -> bool {
    true
}

impl Verdict {
    /// What stands in a result until it is judged.
    #[must_use]
    pub fn open() -> Self {
        let (claims, invalid_because, warnings) = Default::default();
        Verdict { result: Outcome::Invalid, judged: true, claims, invalid_because, warnings }
    }

    /// The exit code of a program that ends with this verdict.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.result {
            Outcome::Held => 0,
            Outcome::NotHeld => 1,
            Outcome::Invalid => 3,
        }
    }
}

/// The verdict in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The claims hold.
    #[serde(rename = "held")]
    Held,
    /// At least one does not.
    #[serde(rename = "not held")]
    NotHeld,
    /// The run cannot say: the pressure was not there, the control was not clean, the generator lagged.
    #[serde(rename = "invalid")]
    Invalid,
}

impl Outcome {
    /// The word in output and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Held => "held",
            Outcome::NotHeld => "not held",
            Outcome::Invalid => "invalid",
        }
    }
}

/// What it means when a claim's comparison is false.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimKind {
    /// What is claimed is not so.
    #[default]
    Effect,
    /// The pressure was not there: the run is invalid.
    Pressure,
    /// The control shows the effect too, so the mistake is not its cause: the run is invalid.
    Control,
    /// Another cause is not ruled out: the run is invalid.
    Condition,
}

/// One claim and its figure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClaimResult {
    /// What is claimed, in words.
    pub name: String,
    /// What it means when it is not so.
    #[serde(default)]
    pub kind: ClaimKind,
    /// Which arm it speaks of; `all` for a comparison, `target` where there is one server.
    pub arm: String,
    /// The figure; null where nothing could be measured.
    pub measured: Option<f64>,
    /// `>=`, `<=`, `<`, `>` or `==`.
    pub comparison: String,
    /// What the figure is compared with.
    pub threshold: f64,
    /// `ms`, `x` (times), `streams`, `cores`, ...
    pub unit: String,
    /// Milliseconds in one unit, where the unit is a length of time of the lab's own (a token gap).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_ms: Option<f64>,
    /// Whether it is required of every lab alike, and not a claim of this one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub general: bool,
    /// Whether the comparison is true.
    pub held: bool,
}
