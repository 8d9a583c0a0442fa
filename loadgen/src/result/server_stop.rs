//! How a server ended that a lab asked to.

use serde::{Deserialize, Serialize};

/// How a server ended after a signal that asked it to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServerStop {
    /// The signal: `SIGTERM`.
    pub signal: String,
    /// When it was sent, since the start of the run.
    pub signalled_ms: f64,
    /// How long it was alive from then on: to its end, or to the end of the run.
    pub alive_ms: f64,
    /// Whether it ended by then.
    pub ended: bool,
    /// Its exit code; none while it runs, and if a signal ended it.
    pub exit_code: Option<i32>,
}
