//! The processes that a process has started, such as the worker under a watchdog.

use std::fs;
use std::process::Command;

/// The pids of the children of `pid`; empty where the system does not tell.
pub(super) fn children(pid: u32) -> Vec<u32> {
    let listed = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok();
    // Not every system has that file.
    let listed = listed.or_else(|| {
        let output = Command::new("pgrep").arg("-P").arg(pid.to_string()).output().ok()?;
        String::from_utf8(output.stdout).ok()
    });
    listed.iter().flat_map(|pids| pids.split_whitespace()).filter_map(|pid| pid.parse().ok()).collect()
}
