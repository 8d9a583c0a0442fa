//! Shell scripts that stand in for programs.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::process::Command;
use std::time::Duration;

use process::Launch;

/// Longer than anything here takes on a busy machine; reached only by a test that fails.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// A program that is this script.
pub(crate) fn script(body: &str) -> Launch {
    Launch::new("sh").args(["-c", body])
}

/// Whether the process runs: it exists and is no zombie.
pub(crate) fn is_alive(pid: u32) -> bool {
    let output = Command::new("ps").args(["-p", &pid.to_string(), "-o", "stat="]).output().unwrap();
    let state = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}
