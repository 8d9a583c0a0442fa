//! A server as a process.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// A server as a process of its own, killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// Its log is part of what it costs: it is written to a file, where no reader costs anything.
    log: PathBuf,
    pub(crate) addr: SocketAddr,
}

impl Server {
    pub(crate) fn start(program: &Path, args: &[&str]) -> Self {
        let name = format!("stack-bench-{}-{:08x}.log", std::process::id(), fastrand::u32(..));
        let log = std::env::temp_dir().join(name);
        let mut child = Command::new(program).args(args).stderr(File::create(&log).unwrap()).spawn().unwrap();
        let addr = loop {
            let written = fs::read_to_string(&log).unwrap();
            let addr = written.split_once("listening on http://").and_then(|(_, rest)| rest.split_once('\n'));
            if let Some((addr, _)) = addr {
                break addr.parse().unwrap();
            }
            assert!(child.try_wait().unwrap().is_none(), "it ended before it listened: {written}");
            sleep(Duration::from_millis(10));
        };
        Server { child, log, addr }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Processor time since its start, in milliseconds.
    pub(crate) fn cpu_ms(&self) -> u64 {
        let (mut system, pid) = (System::new(), Pid::from_u32(self.child.id()));
        let what = ProcessRefreshKind::nothing().with_cpu();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, what);
        system.process(pid).unwrap().accumulated_cpu_time()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.log);
    }
}
