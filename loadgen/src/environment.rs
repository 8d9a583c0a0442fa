//! The machine that a run ran on.

use std::thread;

use sysinfo::System;

use crate::result::Environment;

/// Cores, memory and operating system.
#[must_use]
pub fn environment() -> Environment {
    let mut system = System::new();
    system.refresh_memory();
    Environment {
        cores: thread::available_parallelism().map_or(1, |cores| cores.get()),
        memory_bytes: system.total_memory(),
        os: System::long_os_version().unwrap_or_else(|| std::env::consts::OS.to_owned()),
    }
}
