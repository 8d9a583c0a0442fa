//! What was seen of a server, from which the rule draws its finding.

mod collapse;
mod idle;
#[cfg(test)]
mod sample;

use std::collections::BTreeMap;
use std::time::Duration;

use super::platform::Known;
use crate::numbers::in_millis;
use crate::result::{DiagnosisLevel, ProbeLevel};
pub(super) use collapse::{Collapse, Corner, is_near};
pub(super) use idle::IdleStream;
#[cfg(test)]
pub(super) use sample::{answered, failed, hung, probes};

/// The probe of the health path.
pub(super) const HEALTH: &str = "health";
/// The probe of the path of an asynchronous health check, where one is given.
pub(super) const ASYNC_HEALTH: &str = "async_health";
/// The probe of a path that does not exist: a pool behind the event loop has no part in its answer.
pub(super) const UNKNOWN_PATH: &str = "unknown_path";
/// The probe on a connection that was opened before the ramp and is kept: a limit on connections does not affect it.
pub(super) const KEPT_CONNECTION: &str = "kept_connection";

/// The path of the probe of one that does not exist.
pub(super) const NO_SUCH_PATH: &str = "/loadgen-diagnose-no-such-path";

/// What was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Of one stream, while the server was idle.
    pub(super) idle: IdleStream,
    /// The probes while the server was idle.
    pub(super) idle_probes: BTreeMap<String, ProbeLevel>,
    /// Whether the server keeps a connection for several requests.
    pub(super) keeps_connections: bool,
    /// Of the server's processes, before the first stream.
    pub(super) idle_process: ProcessSeen,
    /// The numbers of streams that were held, in the order in which they were.
    pub(super) levels: Vec<DiagnosisLevel>,
    /// The level at which the server was no longer as idle, if there was one.
    pub(super) collapse: Option<Collapse>,
    /// The platform of the server, where it is known.
    pub(super) platform: Option<Known>,
    /// Processors of the server's machine, where they are known.
    pub(super) processors: Option<u64>,
    /// Silences in which nothing at all was answered, without an effect of the number of streams.
    pub(super) stalls: Vec<Stall>,
    /// The most streams that the ramp was allowed to open.
    pub(super) streams_max: u64,
    /// What ended the ramp before it could show anything.
    pub(super) cut_short: Option<CutShort>,
    /// The status of a rejection when all streams were closed again and all checks were fast.
    pub(super) rejected_when_idle: Option<u16>,
    /// Rejections by HTTP status, and failures by cause, of all streams.
    pub(super) rejected: BTreeMap<u16, u64>,
    pub(super) failed: BTreeMap<String, u64>,
}

/// What ended a ramp before it could show anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CutShort {
    /// Nothing listens any more: the server has ended, or is being restarted.
    ServerGone,
    /// A proxy answers in its place that it has ended.
    ServerGoneBehindProxy,
    /// This process had no descriptor or port left.
    OwnLimit,
    /// As many requests were sent as may be.
    RequestsUsedUp,
    /// The budget was over before all streams had been tried.
    TimeOver,
}

/// What is known of the server's processes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct ProcessSeen {
    /// Their threads.
    pub(super) threads: Option<u64>,
    /// Their open descriptors.
    pub(super) fds: Option<u64>,
    /// Share of one processor that other processes on this machine used.
    pub(super) machine_cores: Option<f64>,
    /// Whether one of them listens on the server's port.
    pub(super) listens: Option<bool>,
}

/// A silence in which nothing at all was answered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stall {
    /// The streams that were held then.
    pub(super) streams: u64,
    /// How long it lasted.
    pub(super) length: Duration,
}

impl Seen {
    /// Adds rejections by HTTP status, and failures by cause.
    pub(super) fn add_losses(&mut self, rejected: BTreeMap<u16, u64>, failed: BTreeMap<String, u64>) {
        for (status, times) in rejected {
            *self.rejected.entry(status).or_default() += times;
        }
        for (cause, times) in failed {
            *self.failed.entry(cause).or_default() += times;
        }
    }

    /// The level with the most streams at which the server was as when idle; without one, that of no streams.
    pub(super) fn last_good(&self) -> DiagnosisLevel {
        let before = self.collapse.as_ref().map_or(self.levels.len(), |collapse| collapse.first_bad);
        self.levels[..before.min(self.levels.len())]
            .iter()
            .max_by_key(|level| level.streams)
            .cloned()
            .unwrap_or_default()
    }

    /// The level of the collapse.
    pub(super) fn worst(&self) -> Option<&DiagnosisLevel> {
        self.levels.get(self.collapse.as_ref()?.level)
    }

    /// What a probe got during the collapse.
    pub(super) fn probe(&self, probe: &str) -> Option<&ProbeLevel> {
        self.worst()?.probes.get(probe).filter(|probe| probe.sent > 0)
    }

    /// Whether a probe got no answer, or a late one, for the larger part of the collapse.
    pub(super) fn hangs(&self, probe: &str) -> bool {
        self.probe(probe).is_some_and(|at| self.is_late(probe, at))
    }

    /// Whether a probe was answered as when idle.
    pub(super) fn is_fast(&self, probe: &str) -> bool {
        let few_slow = |at: &ProbeLevel| at.latency_ms.p90 < 2.0 * self.late_ms(probe);
        self.probe(probe).is_some_and(|at| !self.is_late(probe, at) && no_answer(at) * 20 <= at.sent && few_slow(at))
    }

    /// Whether a probe at some level is typically late, or a quarter of it gets no answer.
    pub(super) fn is_late(&self, probe: &str, at: &ProbeLevel) -> bool {
        at.latency_ms.p50 >= self.late_ms(probe) || no_answer(at) * 4 >= at.sent.max(1)
    }

    /// Whether the asynchronous health check, where there is one, and a path that does not exist are both fast.
    pub(super) fn event_loop_is_free(&self) -> bool {
        let has_async = self.probe(ASYNC_HEALTH).is_some();
        self.is_fast(UNKNOWN_PATH) && (!has_async || self.is_fast(ASYNC_HEALTH))
    }

    /// Whether the health check at this level takes longer than when idle, and than a path at the same level that needs
    /// no pool: the typical one, not the slowest. Chance does not make that.
    pub(super) fn health_waits(&self, level: &DiagnosisLevel) -> bool {
        let p50 = |probe: &str| level.probes.get(probe).map_or(0.0, |probe| probe.latency_ms.p50);
        let idle = self.idle_ms(HEALTH).unwrap_or_default();
        p50(HEALTH) >= 2.5 * idle.max(p50(UNKNOWN_PATH)) + 1.0
    }

    /// The latency from which on a probe counts as late: ten times the idle one, and at least a fifth of the time between
    /// two chunks, which is between 25 and 100 ms; well before its time-out.
    pub(super) fn late_ms(&self, probe: &str) -> f64 {
        const MAX_MS: f64 = 3_000.0;
        let gap = in_millis(self.idle.gap());
        let least = if gap > 0.0 { (0.2 * gap).clamp(25.0, 100.0) } else { 100.0 };
        let idle = self.idle_probes.get(probe).map(|idle| idle.latency_ms).unwrap_or_default();
        let often = (10.0 * idle.p50).min(idle.p50 + 500.0);
        often.max(4.0 * idle.p90).max(least).min(MAX_MS)
    }

    /// The median latency of a probe while the server was idle, in milliseconds.
    pub(super) fn idle_ms(&self, probe: &str) -> Option<f64> {
        self.idle_probes.get(probe).filter(|idle| idle.sent > 0).map(|idle| idle.latency_ms.p50)
    }

    /// Chunks per second of one stream alone.
    pub(super) fn pace(&self) -> f64 {
        let gap = self.idle.gap();
        if gap.is_zero() { 0.0 } else { 1.0 / gap.as_secs_f64() }
    }

    /// The share of the chunks of idle streams that streams at this level must get to count as not slowed down. It leaves
    /// room for how uneven one stream is.
    pub(super) fn least_share(&self) -> f64 {
        const SLOWED: f64 = 0.7;
        let gaps = (self.idle.chunks.saturating_sub(1)).max(1) as f64;
        let uncertain = 3.0 * self.idle.gap_deviation.as_secs_f64() / gaps.sqrt();
        let gap = self.idle.gap().as_secs_f64();
        if gap > 0.0 { SLOWED.min(1.0 / (1.0 + uncertain / gap)) } else { SLOWED }
    }

    /// Whether the streams that flow at this level get fewer chunks than one alone.
    pub(super) fn is_slowed(&self, level: &DiagnosisLevel) -> bool {
        level.started > 0 && level.pace.is_some_and(|pace| pace < self.least_share() * self.pace())
    }
}

/// Probes of a level without an answer.
pub(super) fn no_answer(at: &ProbeLevel) -> u64 {
    at.timed_out + at.failed
}
