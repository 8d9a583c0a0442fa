//! The server's processes, where a pid is given, and what else is busy on this machine.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sysinfo::System;

use super::options::DiagnoseOptions;
use super::seen::ProcessSeen;
use crate::measure::{
    Pids, ProcessUsage, ServerSamples, fewest_descriptors_left, listens, one_process, with_descendants,
};
use crate::result::DiagnosisLevel;

/// The server's processes.
pub(super) struct ServerProcess {
    server: Arc<ServerSamples>,
    pids: Option<Pids>,
    port: u16,
    own: ServerSamples,
    /// `None` if the server is on another machine.
    machine: Option<Mutex<System>>,
}

/// What they had used at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProcessLook {
    at: Instant,
    server: Option<ProcessUsage>,
    own: Option<ProcessUsage>,
    /// Processors in use on this machine since the look before.
    machine_cores: Option<f64>,
}

impl ServerProcess {
    pub(super) fn new(options: &DiagnoseOptions, server: Arc<ServerSamples>) -> Self {
        let address = options.endpoint.addr();
        let process = ServerProcess {
            server,
            pids: options.pid.map(with_descendants),
            port: address.port(),
            own: ServerSamples::new(Some(one_process(std::process::id())), Vec::new()),
            machine: options.endpoint.is_loopback().then(|| Mutex::new(System::new())),
        };
        process.look();
        process
    }

    pub(super) fn look(&self) -> ProcessLook {
        let machine_cores = self.machine.as_ref().map(|system| {
            let mut system = system.lock().unwrap_or_else(PoisonError::into_inner);
            system.refresh_cpu_usage();
            f64::from(system.global_cpu_usage()) / 100.0 * system.cpus().len() as f64
        });
        ProcessLook { at: Instant::now(), server: self.server.usage(), own: self.own.usage(), machine_cores }
    }

    /// What there is before the first stream, with what was used since `before`.
    pub(super) fn idle(&self, before: &ProcessLook) -> ProcessSeen {
        let now = self.look();
        let pids = self.pids.as_ref().map(|pids| pids());
        ProcessSeen {
            threads: before.server.and_then(|usage| usage.threads),
            fds: before.server.and_then(|usage| usage.fds),
            machine_cores: others(before, &now),
            listens: pids.and_then(|pids| listens(&pids, self.port)),
        }
    }

    /// Sets what the processes used since `before`.
    pub(super) fn set_usage(&self, level: &mut DiagnosisLevel, before: &ProcessLook) {
        let now = self.look();
        level.cpu_cores = share(before.server, now.server, now.at - before.at);
        level.threads = now.server.and_then(|usage| usage.threads);
        level.fds = now.server.and_then(|usage| usage.fds);
        let fewest_left = self.pids.as_ref().and_then(|pids| fewest_descriptors_left(&pids()));
        level.fds_of_fullest = fewest_left.map(|process| process.open);
        level.fds_limit = fewest_left.map(|process| process.limit);
        level.machine_cores = others(before, &now);
    }
}

/// Processors that others than this process used between two looks.
fn others(before: &ProcessLook, now: &ProcessLook) -> Option<f64> {
    let own = share(before.own, now.own, now.at - before.at)?;
    Some((now.machine_cores? - own).max(0.0))
}

/// Share of one processor between two looks.
fn share(before: Option<ProcessUsage>, now: Option<ProcessUsage>, took: Duration) -> Option<f64> {
    let used = now?.cpu.saturating_sub(before?.cpu).as_secs_f64();
    Some(used / took.as_secs_f64().max(f64::EPSILON))
}
