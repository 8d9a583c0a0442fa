//! What a process costs.

use std::time::Duration;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// What a process has used.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Processor time since its start.
    pub cpu: Duration,
    /// Resident memory now, in bytes.
    pub rss_bytes: u64,
}

/// What the process `pid` has used, or none when there is no such process.
#[must_use]
pub fn usage_of(pid: u32) -> Option<Usage> {
    let pid = Pid::from_u32(pid);
    let mut system = System::new();
    let kind = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, kind);
    let process = system.process(pid)?;
    Some(Usage { cpu: Duration::from_millis(process.accumulated_cpu_time()), rss_bytes: process.memory() })
}
