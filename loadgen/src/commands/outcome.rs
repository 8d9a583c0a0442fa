//! How a command ended.

use crate::engine::RunningArm;

/// How a command ended.
pub struct CommandOutcome {
    /// Its exit code.
    pub exit_code: u8,
    /// Programs that keep running until Ctrl-C. Dropped, they are stopped.
    pub kept: Vec<RunningArm>,
}

impl From<u8> for CommandOutcome {
    fn from(exit_code: u8) -> Self {
        CommandOutcome { exit_code, kept: Vec::new() }
    }
}
