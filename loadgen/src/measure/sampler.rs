//! Samples a server's streams and processes every 250 ms.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::StreamLog;
use super::process_usage::{Pids, ProcessUsage, ProcessWatch};
use crate::result::{Level, PhaseProcess, ProcessStats};

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
    /// What its processes used, if they are known and one is alive.
    pub process: Option<ProcessUsage>,
}

/// The samples of one server.
pub struct ServerSamples {
    processes: Option<Mutex<ProcessWatch>>,
    streams: Vec<Arc<StreamLog>>,
    samples: Mutex<Vec<Sample>>,
}

impl ServerSamples {
    /// A server with these processes, if known, and these streams.
    #[must_use]
    pub fn new(pids: Option<Pids>, streams: Vec<Arc<StreamLog>>) -> Self {
        let processes = pids.map(|pids| Mutex::new(ProcessWatch::new(pids)));
        ServerSamples { processes, streams, samples: Mutex::default() }
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

    /// What the processes use now. It takes a millisecond, and longer with hundreds of threads.
    #[must_use]
    pub fn usage(&self) -> Option<ProcessUsage> {
        self.processes.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).look()
    }

    /// What the processes used in a phase that began at `from` with `start` and ended at `to` with `end`.
    #[must_use]
    pub fn phase_process(&self, start: (Duration, ProcessUsage), end: (Duration, ProcessUsage)) -> PhaseProcess {
        let samples = self.samples();
        let within = samples.iter().filter(|sample| (start.0..end.0).contains(&sample.at));
        let seen: Vec<_> = within.filter_map(|sample| sample.process).chain([start.1, end.1]).collect();
        let level = |of: fn(&ProcessUsage) -> Option<u64>| {
            Some(Level { start: of(&start.1)?, peak: seen.iter().filter_map(of).max()?, end: of(&end.1)? })
        };
        PhaseProcess {
            rss_bytes: level(|usage| Some(usage.rss_bytes)),
            threads: level(|usage| usage.threads),
            fds: level(|usage| usage.fds),
        }
    }

    /// Peak number of threads of the process in `[from, to)`, if known.
    #[must_use]
    pub fn threads_peak(&self, from: Duration, to: Duration) -> Option<u64> {
        let samples = self.samples();
        let within = samples.iter().filter(|sample| (from..to).contains(&sample.at));
        within.filter_map(|sample| sample.process?.threads).max()
    }

    fn take_sample(&self, at: Duration) {
        let process = self.usage();
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
            let mut next = origin.elapsed();
            while !stopped.load(Relaxed) {
                let now = origin.elapsed();
                servers.iter().for_each(|server| server.take_sample(now));
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

#[cfg(test)]
mod tests {
    use super::super::one_process;
    use super::*;

    #[test]
    fn the_level_of_a_phase_has_its_start_its_peak_and_its_end() {
        let usage = |rss_bytes, threads| ProcessUsage { rss_bytes, threads, ..ProcessUsage::default() };
        let at = Duration::from_secs;
        let server = ServerSamples::new(None, Vec::new());
        for (second, rss_bytes) in [(0, 900), (2, 30), (3, 70), (9, 800)] {
            let sample = Sample { at: at(second), process: Some(usage(rss_bytes, None)), ..Sample::default() };
            server.samples.lock().unwrap_or_else(PoisonError::into_inner).push(sample);
        }
        let seen = server.phase_process((at(1), usage(20, Some(4))), (at(4), usage(50, None)));
        assert_eq!(seen.rss_bytes, Some(Level { start: 20, peak: 70, end: 50 }));
        assert_eq!(seen.rss_bytes.map(|level| level.growth()), Some(30.0));
        assert_eq!(seen.threads, None, "it is not known at the end");
    }

    #[test]
    fn memory_that_a_process_takes_is_its_growth() {
        const TAKEN: usize = 64 * 1024 * 1024;
        let server = ServerSamples::new(Some(one_process(std::process::id())), Vec::new());
        let start = server.usage().expect("this process is alive");
        let taken = std::hint::black_box(vec![1_u8; TAKEN]);
        let end = server.usage().expect("this process is alive");
        drop(taken);
        let seen = server.phase_process((Duration::ZERO, start), (Duration::from_secs(1), end));
        let growth = seen.rss_bytes.expect("every system has it").growth();
        // Other tests run beside this one.
        assert!((growth - TAKEN as f64).abs() < TAKEN as f64 / 2.0, "{growth}");
    }
}
