//! Samples a server's streams and process every 250 ms.

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessesToUpdate, System};

use super::StreamLog;
use crate::result::ProcessStats;

/// Time between two samples.
pub const SAMPLE_INTERVAL: Duration = Duration::from_millis(250);

/// A sample of one server.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sample {
    /// Since the start of the run.
    pub at: Duration,
    /// Open streams.
    pub streams_active: u64,
    /// Tokens received since the start.
    pub chunks: u64,
    /// What its process used, if it is known and alive.
    pub process: Option<ProcessSample>,
}

/// A sample of a process.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessSample {
    /// Processor time since the process started.
    pub cpu: Duration,
    /// Resident memory.
    pub rss_bytes: u64,
    /// Threads, if known.
    pub threads: Option<u64>,
    /// Open descriptors, if known.
    pub fds: Option<u64>,
}

/// The samples of one server.
#[derive(Debug, Default)]
pub struct ServerSamples {
    pid: Option<u32>,
    streams: Vec<Arc<StreamLog>>,
    samples: Mutex<Vec<Sample>>,
}

impl ServerSamples {
    /// A server with this process, if known, and these streams.
    #[must_use]
    pub fn new(pid: Option<u32>, streams: Vec<Arc<StreamLog>>) -> Self {
        ServerSamples { pid, streams, samples: Mutex::default() }
    }

    /// Streams open now.
    #[must_use]
    pub fn active(&self) -> u64 {
        self.streams.iter().map(|log| log.active()).sum()
    }

    /// All samples so far.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Peaks and totals of the process.
    #[must_use]
    pub fn process_stats(&self) -> Option<ProcessStats> {
        let samples = self.samples();
        let processes: Vec<_> = samples.iter().filter_map(|sample| sample.process).collect();
        Some(ProcessStats {
            cpu_seconds: processes.last()?.cpu.as_secs_f64(),
            rss_peak_bytes: processes.iter().map(|process| process.rss_bytes).max()?,
            threads_peak: processes.iter().filter_map(|process| process.threads).max(),
            fds_peak: processes.iter().filter_map(|process| process.fds).max(),
        })
    }

    /// Share of one processor that the process used in `[from, to)`.
    #[must_use]
    pub fn cpu_cores(&self, from: Duration, to: Duration) -> Option<f64> {
        let samples = self.samples();
        let within = samples.iter().filter(|sample| (from..to).contains(&sample.at));
        let used: Vec<_> = within.filter_map(|sample| Some((sample.at, sample.process?.cpu))).collect();
        let (first, last) = (used.first()?, used.last()?);
        let elapsed = (last.0 - first.0).as_secs_f64();
        (elapsed > 0.0).then(|| last.1.saturating_sub(first.1).as_secs_f64() / elapsed)
    }

    /// Peak number of threads of the process in `[from, to)`, if known.
    #[must_use]
    pub fn threads_peak(&self, from: Duration, to: Duration) -> Option<u64> {
        let samples = self.samples();
        let within = samples.iter().filter(|sample| (from..to).contains(&sample.at));
        within.filter_map(|sample| sample.process?.threads).max()
    }

    fn take_sample(&self, at: Duration, system: &mut System) {
        let process = self.pid.and_then(|pid| sample_process(system, Pid::from_u32(pid)));
        let chunks = self.streams.iter().map(|log| log.chunks()).sum();
        let sample = Sample { at, streams_active: self.active(), chunks, process };
        self.samples.lock().unwrap_or_else(PoisonError::into_inner).push(sample);
    }
}

/// Samples servers every [`SAMPLE_INTERVAL`], on a thread of its own.
pub struct Sampler {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Sampler {
    /// Starts to sample. `origin` is the start of the run.
    #[must_use]
    pub fn start(origin: Instant, servers: Vec<Arc<ServerSamples>>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            let mut system = System::new();
            let mut next = origin.elapsed();
            while !stopped.load(Relaxed) {
                let now = origin.elapsed();
                servers.iter().for_each(|server| server.take_sample(now, &mut system));
                next += SAMPLE_INTERVAL;
                thread::sleep(next.saturating_sub(origin.elapsed()));
            }
        });
        Sampler { stop, thread: Some(thread) }
    }

    /// Stops sampling.
    pub fn finish(self) {
        drop(self);
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // If the sampler panicked, its figures are missing in the result, but the run is not lost.
            let _ = thread.join();
        }
    }
}

fn sample_process(system: &mut System, pid: Pid) -> Option<ProcessSample> {
    let kind = ProcessRefreshKind::nothing().with_cpu().with_memory().with_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, kind);
    let process = system.process(pid)?;
    Some(ProcessSample {
        cpu: Duration::from_millis(process.accumulated_cpu_time()),
        rss_bytes: process.memory(),
        threads: threads(process),
        fds: descriptors(process),
    })
}

/// Threads. sysinfo does not count the main thread, and on macOS none.
fn threads(process: &Process) -> Option<u64> {
    if let Some(tasks) = process.tasks() {
        return Some(tasks.len() as u64 + 1);
    }
    // On macOS, with these options, a header and one line per thread.
    let listed = Command::new("ps").arg("-M").arg(process.pid().to_string()).output().ok()?;
    let lines = listed.stdout.iter().filter(|byte| **byte == b'\n').count() as u64;
    lines.checked_sub(1).filter(|threads| *threads > 0)
}

/// Open descriptors. Linux (6.2 and later) has their number as the size of a directory. Counting 18,000 one by one
/// takes 25 ms of processor time, which the server under test would lack.
fn descriptors(process: &Process) -> Option<u64> {
    let directory = fs::metadata(format!("/proc/{}/fd", process.pid())).map_or(0, |directory| directory.len());
    if directory > 0 { Some(directory) } else { process.open_files().map(|files| files as u64) }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn opened_descriptors_are_counted() {
        const MORE: u64 = 50;
        let count = || {
            let process = sample_process(&mut System::new(), Pid::from_u32(std::process::id()));
            process.and_then(|process| process.fds)
        };
        let before = count();
        let opened: Vec<_> = (0..MORE).map_while(|_| File::open("/dev/null").ok()).collect();
        let after = count();
        assert_eq!(opened.len() as u64, MORE);
        // Not every system has the figure, and other tests run beside this one.
        if let (Some(before), Some(after)) = (before, after) {
            assert!(after.abs_diff(before + MORE) < MORE / 2, "{before}, then {after}");
        }
    }

    #[test]
    fn started_threads_are_counted() {
        let server = Arc::new(ServerSamples::new(Some(std::process::id()), Vec::new()));
        let threads = || {
            let mut system = System::new();
            server.take_sample(Duration::ZERO, &mut system);
            server.samples().last().and_then(|sample| sample.process).map(|process| process.threads)
        };
        let before = threads();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let waiting = thread::spawn(move || released.recv());
        let after = threads();
        drop(release);
        assert!(waiting.join().is_ok_and(|received| received.is_err()));
        assert!(before.is_some(), "this process is there");
        // Not every system has the figure, and other tests run beside this one.
        if let (Some(Some(before)), Some(Some(after))) = (before, after) {
            assert!(before >= 2, "this test has a thread besides the main one: {before}");
            assert!(after + 8 > before, "{before}, then {after}");
        }
    }
}
