//! The mock as a separate process, with its CPU time and memory.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::client::Target;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// The program under test, as a separate process. Killed on drop.
pub(crate) struct Vendor {
    child: Child,
    addr: SocketAddr,
}

impl Vendor {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mock-llm"))
            .args(["--listen", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let (_, addr) = line.trim().split_once("listening on http://").expect("the program says where it listens");
        // Its log must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Vendor { child, addr: addr.parse().unwrap() }
    }

    pub(crate) fn target(&self) -> Target {
        Target { addr: self.addr, path: "/v1/chat/completions".to_owned() }
    }

    pub(crate) fn process(&self) -> Process {
        Process::of(self.child.id())
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A measured process.
pub(crate) struct Process(Pid);

/// CPU time and memory that a process has used.
pub(crate) struct Usage {
    pub(crate) cpu_seconds: f64,
    pub(crate) rss_bytes: u64,
}

impl Process {
    pub(crate) fn of(pid: u32) -> Self {
        Process(Pid::from_u32(pid))
    }

    pub(crate) fn usage(&self) -> Usage {
        let mut system = System::new();
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[self.0]), false, kind);
        let process = system.process(self.0).expect("the process still runs");
        Usage { cpu_seconds: process.accumulated_cpu_time() as f64 / 1000.0, rss_bytes: process.memory() }
    }
}
