//! A server as a process.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use process::{Launch, START_TIMEOUT, ServerProcess};

/// A server as a separate process, killed when dropped.
pub(crate) struct Server {
    process: ServerProcess,
    /// Its log is part of what is measured. It is written to a file, because a reader would use CPU too.
    log: PathBuf,
    pub(crate) addr: SocketAddr,
}

impl Server {
    pub(crate) fn start(program: &Path, args: &[&str]) -> Self {
        let name = format!("stack-bench-{}-{:08x}.log", std::process::id(), fastrand::u32(..));
        let log = std::env::temp_dir().join(name);
        let launch = Launch::new(program).args(args.iter().copied()).stderr_to(&log);
        let process = launch.start_blocking(START_TIMEOUT).unwrap();
        Server { addr: process.addr(), process, log }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Processor time since its start, in milliseconds.
    pub(crate) fn cpu_ms(&self) -> u64 {
        self.process.usage().unwrap().cpu.as_millis() as u64
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.log);
    }
}
