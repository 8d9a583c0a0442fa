//! What a server stands for in a comparison.

use serde::{Deserialize, Serialize};

/// A side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// broken-server with one mistake.
    Broken,
    /// broken-server without a mistake: shows that the framework is not the cause.
    Control,
    /// fixed-server.
    Fixed,
}

impl Side {
    /// All sides, in the order of output.
    pub const ALL: [Side; 3] = [Side::Broken, Side::Control, Side::Fixed];

    /// The name in output and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Side::Broken => "broken",
            Side::Control => "control",
            Side::Fixed => "fixed",
        }
    }
}
