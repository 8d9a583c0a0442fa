//! Samples a server's streams and processes every 250 ms.

use std::collections::VecDeque;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    /// Streams completed and calls answered 2xx since the start.
    pub completed: u64,
    /// What its processes used, if they are known and one is alive.
    pub process: Option<ProcessUsage>,
}

/// The samples of one server.
pub struct ServerSamples {
    processes: Option<Mutex<ProcessWatch>>,
    streams: Vec<Arc<StreamLog>>,
    kept: Mutex<Kept>,
}

/// The samples that are kept, in order.
#[derive(Debug, Default)]
struct Kept {
    samples: VecDeque<Sample>,
    /// Samples before them that have been dropped.
    forgotten: usize,
}

impl Kept {
    /// Those in `[from, to)`.
    fn within(&self, from: Duration, to: Duration) -> impl Iterator<Item = &Sample> {
        let first = self.samples.partition_point(|sample| sample.at < from);
        self.samples.range(first..).take_while(move |sample| sample.at < to)
    }

    fn processes(&self) -> impl DoubleEndedIterator<Item = ProcessUsage> {
        self.samples.iter().filter_map(|sample| sample.process)
    }
}

impl ServerSamples {
    /// A server with these processes, if known, and these streams.
    #[must_use]
    pub fn new(pids: Option<Pids>, streams: Vec<Arc<StreamLog>>) -> Self {
        let processes = pids.map(|pids| Mutex::new(ProcessWatch::new(pids)));
        ServerSamples { processes, streams, kept: Mutex::default() }
    }

    /// Streams open now.
    #[must_use]
    pub fn active(&self) -> u64 {
        self.streams.iter().map(|log| log.active()).sum()
    }

    /// The samples from number `from` on, counted from 0, and the number of the next.
    #[must_use]
    pub fn since(&self, from: usize) -> (Vec<Sample>, usize) {
        let kept = self.kept();
        let skipped = from.saturating_sub(kept.forgotten).min(kept.samples.len());
        (kept.samples.range(skipped..).copied().collect(), kept.forgotten + kept.samples.len())
    }

    /// Drops the samples before `before`, so that a run without an end needs bounded memory. Peaks and totals are then
    /// those of the rest.
    pub fn forget(&self, before: Duration) {
        let mut kept = self.kept();
        let dropped = kept.samples.partition_point(|sample| sample.at < before);
        kept.samples.drain(..dropped);
        kept.forgotten += dropped;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Peaks and totals of the process.
    #[must_use]
    pub fn process_stats(&self) -> Option<ProcessStats> {
        let kept = self.kept();
        Some(ProcessStats {
            cpu_seconds: kept.processes().next_back()?.cpu.as_secs_f64(),
            rss_peak_bytes: kept.processes().map(|process| process.rss_bytes).max()?,
            threads_peak: kept.processes().filter_map(|process| process.threads).max(),
            fds_peak: kept.processes().filter_map(|process| process.fds).max(),
        })
    }

    /// Share of one processor that the process used in `[from, to)`.
    #[must_use]
    pub fn cpu_cores(&self, from: Duration, to: Duration) -> Option<f64> {
        let kept = self.kept();
        let mut used = kept.within(from, to).filter_map(|sample| Some((sample.at, sample.process?.cpu)));
        let first = used.next()?;
        let last = used.last()?;
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
        let kept = self.kept();
        let within = kept.within(start.0, end.0).filter_map(|sample| sample.process);
        let seen: Vec<_> = within.chain([start.1, end.1]).collect();
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
        self.kept().within(from, to).filter_map(|sample| sample.process?.threads).max()
    }

    fn take_sample(&self, at: Duration) {
        let process = self.usage();
        let total = |count: fn(&StreamLog) -> u64| self.streams.iter().map(|log| count(log)).sum();
        let (chunks, completed) = (total(StreamLog::chunks), total(StreamLog::completed));
        self.add(Sample { at, streams_active: self.active(), chunks, completed, process });
    }

    /// Adds a sample, which is later than all before.
    pub(crate) fn add(&self, sample: Sample) {
        self.kept().samples.push_back(sample);
    }
}

/// Samples servers every [`SAMPLE_INTERVAL`], on a thread of its own. Dropped, it stops.
pub struct Sampler {
    until_dropped: Option<Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Sampler {
    /// Starts to sample. `origin` is the start of the run.
    #[must_use]
    pub fn start(origin: Instant, servers: Vec<Arc<ServerSamples>>) -> Self {
        let (until_dropped, dropped) = channel::<()>();
        let thread = thread::spawn(move || {
            let mut next = origin.elapsed();
            loop {
                let now = origin.elapsed();
                servers.iter().for_each(|server| server.take_sample(now));
                next += SAMPLE_INTERVAL;
                if dropped.recv_timeout(next.saturating_sub(origin.elapsed())) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        });
        Sampler { until_dropped: Some(until_dropped), thread: Some(thread) }
    }

    /// Stops sampling.
    pub fn finish(self) {
        drop(self);
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.until_dropped = None;
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
            server.add(sample);
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
