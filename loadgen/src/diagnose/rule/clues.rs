//! What the processes, the machine and the generator say beside the probes.

use crate::diagnose::finding::PID;
use crate::diagnose::seen::{HEALTH, KEPT_CONNECTION, Seen, UNKNOWN_PATH};
use crate::numbers::in_millis;
use crate::result::{DiagnosisLevel, ProbeLevel};

/// Threads, or processes, that there are at the collapse beside those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Threads {
    /// About as many more as streams were served.
    Grown,
    /// No more, but enough: they may have been there before.
    Enough,
    /// Fewer than streams were served, so that a stream cannot have held one.
    TooFew,
    /// Not known.
    Unknown,
}

/// Threads that the server's processes have more than before the first stream, where they are known.
pub(super) fn threads_grown(seen: &Seen) -> Option<u64> {
    let now = seen.levels.iter().filter_map(|level| level.threads).max().filter(|_| process_is_the_servers(seen))?;
    Some(now.saturating_sub(seen.idle_process.threads?))
}

/// What the number of threads says where `served` streams were served.
pub(super) fn threads(seen: &Seen, served: u64) -> Threads {
    /// Fewer streams say nothing: some new threads are there for the checks.
    const STREAMS: u64 = 3;
    let (Some(grown), Some(before)) = (threads_grown(seen), seen.idle_process.threads) else {
        return Threads::Unknown;
    };
    // With fewer streams, too: later ones may be of requests that wait.
    let never_one_each = seen.levels.iter().any(|level| level.threads.is_some_and(|threads| threads < level.started));
    if never_one_each {
        Threads::TooFew
    } else if served >= STREAMS && is_as_many(grown, served) {
        Threads::Grown
    } else if before + grown > served {
        Threads::Enough
    } else {
        Threads::TooFew
    }
}

/// Whether so many new threads may be one for each of `served`, with some for other purposes.
pub(super) fn is_as_many(grown: u64, served: u64) -> bool {
    grown * 10 >= served * 7 && grown <= served * 3 + 8
}

/// Whether there are rather as many new threads as requests than as streams that flow: what waits has one too, so that a
/// thread is not what it waits for.
pub(super) fn each_request_has_a_thread(seen: &Seen, worst: &DiagnosisLevel, limit: u64) -> bool {
    threads_grown(seen).is_some_and(|grown| grown.abs_diff(worst.streams) < grown.abs_diff(limit))
}

/// Whether each stream had a thread, while there were fewer streams than there are threads now.
pub(super) fn had_a_thread_each(seen: &Seen) -> bool {
    /// With fewer, the threads of the checks are as many.
    const STREAMS: u64 = 8;
    let before = seen.idle_process.threads.unwrap_or_default();
    let now = seen.levels.iter().filter_map(|level| level.threads).max().unwrap_or_default();
    let good = &seen.levels[..seen.collapse.as_ref().map_or(0, |collapse| collapse.first_bad.min(seen.levels.len()))];
    good.iter()
        .filter(|level| (STREAMS..now).contains(&level.started))
        .any(|level| level.threads.is_some_and(|threads| threads.saturating_sub(before) * 10 >= level.started * 7))
}

/// Whether the processes of the pid, where one is given, are the server's as far as can be seen: one of them listens, and
/// they used some processor time while chunks came.
pub(super) fn process_is_the_servers(seen: &Seen) -> bool {
    /// Chunks that cannot be sent for nothing.
    const CHUNKS: f64 = 500.0;
    let used = seen.levels.iter().filter_map(|level| level.cpu_cores).any(|cores| cores > 0.0);
    let chunks: f64 = seen.levels.iter().map(|level| level.chunks_per_second).sum();
    seen.idle_process.listens != Some(false) && (used || chunks < CHUNKS)
}

/// Whether one of the server's processes had nearly as many open descriptors as it may.
pub(super) fn descriptors_ended(seen: &Seen) -> bool {
    let levels = seen.levels.iter().filter(|_| process_is_the_servers(seen));
    let mut known = levels.filter_map(|level| Some((level.fds_of_fullest?, level.fds_limit?)));
    known.any(|(open, limit)| open + open / 20 + 2 >= limit)
}

/// Share of one processor below which a server is idle.
pub(super) const IDLE: f64 = 0.4;

/// Share of one processor that the server's processes used at the collapse, where they are known.
pub(super) fn cores(seen: &Seen) -> Option<f64> {
    seen.worst()?.cpu_cores.filter(|_| process_is_the_servers(seen))
}

/// Whether the server is busy at the collapse: its processes, where they are known; otherwise others than this process on
/// the same machine, if that is clear. It is not where others leave the server less of the processor than it may want.
pub(super) fn is_busy(seen: &Seen) -> Option<bool> {
    const BUSY: f64 = 0.8;
    const STARVED: f64 = 0.1;
    let worst = seen.worst()?;
    if let Some(cores) = cores(seen) {
        let is_known = !(STARVED..BUSY).contains(&cores) || !machine_is_full(seen);
        return is_known.then_some(cores >= BUSY);
    }
    let now = worst.machine_cores?;
    if now < IDLE {
        return Some(false);
    }
    (now - seen.idle_process.machine_cores? >= BUSY).then_some(true)
}

/// Whether all processors of the server's machine were in use at the collapse, those that this process used included.
pub(super) fn machine_is_full(seen: &Seen) -> bool {
    seen.worst().is_some_and(|worst| is_full(seen, worst))
}

/// The same with some number of streams.
pub(super) fn is_full(seen: &Seen, level: &DiagnosisLevel) -> bool {
    /// What this process uses, or what nobody gets.
    const REST: f64 = 0.4;
    level.machine_cores.zip(seen.processors).is_some_and(|(used, all)| used + REST >= all as f64)
}

/// What would tell whether the server is busy, where that is not known.
pub(super) fn to_know_whether_busy(seen: &Seen) -> &'static str {
    if cores(seen).is_some() { "a machine with processors to spare: all of them were in use" } else { PID }
}

/// Whether this process was so late itself that probes seemed late.
pub(super) fn generator_was_late(seen: &Seen) -> bool {
    let late = seen.late_ms(HEALTH).min(seen.late_ms(UNKNOWN_PATH)) / 2.0;
    seen.worst().and_then(|level| level.generator_lag_ms).is_some_and(|lag| lag > late)
}

/// Whether each probe is as when idle, or late by far more than this process was, so that the one is not the other.
pub(super) fn is_clear_all_the_same(seen: &Seen) -> bool {
    const FAR_MORE: f64 = 10.0;
    let Some((level, lag)) = seen.worst().and_then(|level| Some((level, level.generator_lag_ms?))) else {
        return false;
    };
    let is_clear = |(name, at): (&String, &ProbeLevel)| {
        let hangs = at.timed_out * 2 > at.sent && at.latency_ms.p50 > FAR_MORE * lag;
        at.sent == 0 || hangs || seen.is_fast(name)
    };
    !level.probes.is_empty() && level.probes.iter().all(is_clear)
}

/// Whether all probes fail, also on the connection that was kept: the server has ended, or takes no connections.
pub(super) fn is_gone(seen: &Seen) -> bool {
    let fails = |probe| seen.probe(probe).is_some_and(|at| at.failed * 2 > at.sent);
    fails(HEALTH) && fails(UNKNOWN_PATH) && fails(KEPT_CONNECTION)
}

/// Whether the streams that are served at the collapse get their chunks.
pub(super) fn streams_flow(seen: &Seen) -> bool {
    let flow = |level: &DiagnosisLevel| level.chunks_per_second > 0.5 * seen.pace() * level.started as f64;
    seen.worst().is_some_and(|level| level.started > 0 && flow(level))
}

/// Descriptors of the server, beyond one for each stream, that it took for each stream that it served: connections to
/// its vendor.
pub(super) fn upstream_connections(seen: &Seen, served: u64) -> Option<f64> {
    let worst = seen.worst().filter(|_| process_is_the_servers(seen))?;
    let grown = worst.fds?.saturating_sub(seen.idle_process.fds?);
    Some(grown.saturating_sub(worst.streams) as f64 / served.max(1) as f64)
}

/// Probes that are late without being unanswered: a wait of at most some of the times between two chunks.
pub(super) fn waits_for_chunks_only(seen: &Seen) -> bool {
    const GAPS: f64 = 4.0;
    let at = seen.probe(HEALTH);
    at.is_some_and(|at| at.timed_out * 10 < at.sent && at.latency_ms.p50 < GAPS * in_millis(seen.idle.gap()).max(50.0))
}
