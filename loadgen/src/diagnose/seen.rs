//! What was seen of a server, from which the rule draws its finding.

use std::collections::BTreeMap;
use std::time::Duration;

use super::platform::Known;
use crate::result::DiagnosisLevel;

/// The probe of the health path.
pub(super) const HEALTH: &str = "health";
/// The probe of the path of an asynchronous health check, where one is given.
pub(super) const ASYNC_HEALTH: &str = "async_health";
/// The probe of a path that does not exist: a pool behind the event loop has no part in its answer.
pub(super) const UNKNOWN_PATH: &str = "unknown_path";
/// The probe on a connection that was opened before the ramp and is kept: a limit on connections does not affect it.
pub(super) const KEPT_CONNECTION: &str = "kept_connection";

/// The path of that probe.
pub(super) const NO_SUCH_PATH: &str = "/loadgen-diagnose-no-such-path";

/// What was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Of one stream, while the server was idle.
    pub(super) idle: IdleStream,
    /// Latency of each probe while the server was idle: the median, in milliseconds.
    pub(super) idle_ms: BTreeMap<String, f64>,
    /// The numbers of streams that were held, in the order in which they were.
    pub(super) levels: Vec<DiagnosisLevel>,
    /// The level at which the server was no longer as idle, if there was one.
    pub(super) collapse: Option<Collapse>,
    /// The platform of the server, where it is known.
    pub(super) platform: Option<Known>,
    /// Processors of the server's machine, where they are known.
    pub(super) processors: Option<u64>,
    /// The most streams that the ramp was allowed to open.
    pub(super) streams_max: u64,
    /// What ended the ramp before it could show anything.
    pub(super) cut_short: Option<CutShort>,
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
    /// The budget was over before all streams had been tried.
    TimeOver,
}

/// One stream of an idle server.
#[derive(Debug, Clone, Default)]
pub(super) struct IdleStream {
    /// The HTTP status of its answer.
    pub(super) status: u16,
    /// Its headers, with names in lower case.
    pub(super) headers: BTreeMap<String, String>,
    /// From the request to the first chunk of the body.
    pub(super) first_chunk: Duration,
    /// From the first chunk to the last one that was seen.
    pub(super) lasted: Duration,
    /// Chunks that were seen.
    pub(super) chunks: u64,
    /// Whether it ended while it was watched.
    pub(super) ended: bool,
    /// Whether it ended without being complete.
    pub(super) broke_off: bool,
    /// From the request to its end, or as long as it was watched.
    pub(super) took: Duration,
    /// The first bytes of its body, as far as they were kept.
    pub(super) beginning: Vec<u8>,
    /// The same request for a compressed answer, where that was another one.
    pub(super) compressed: Option<Box<IdleStream>>,
}

impl IdleStream {
    /// Whether its status says that it is what was asked for.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Time between two chunks.
    pub(super) fn gap(&self) -> Duration {
        self.lasted / u32::try_from(self.chunks.saturating_sub(1).max(1)).unwrap_or(u32::MAX)
    }

    /// Whether its chunks come one after another, and not all at once at the end.
    pub(super) fn streams(&self) -> bool {
        self.chunks > 1 && self.lasted > self.first_chunk / 4
    }

    /// A header of the answer.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// What was seen at the number of streams that was too much.
#[derive(Debug, Clone, Default)]
pub(super) struct Collapse {
    /// The level, among [`Seen::levels`].
    pub(super) level: usize,
    /// Streams with their first chunk that had not ended, at each look: every 250 ms for some seconds.
    pub(super) started: Vec<u64>,
    /// Streams that ended meanwhile.
    pub(super) ended: u64,
    /// Streams that began to flow meanwhile.
    pub(super) begun: u64,
    /// Rejections by HTTP status.
    pub(super) rejected: BTreeMap<u16, u64>,
    /// Failures by cause.
    pub(super) failed: BTreeMap<String, u64>,
    /// The longest time to a rejection or failure, in milliseconds.
    pub(super) slowest_loss_ms: f64,
    /// The least number of streams with which checks are late, where it was looked for.
    pub(super) corner: Option<u64>,
}

impl Collapse {
    /// The number of streams that flow, if it stays the same: that most often seen, with nearly all others next to it.
    pub(super) fn plateau(&self) -> Option<u64> {
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        self.started.iter().for_each(|streams| *counts.entry(*streams).or_default() += 1);
        let (streams, _) = counts.iter().max_by_key(|(streams, looks)| (**looks, **streams))?;
        let near = self.started.iter().filter(|started| started.abs_diff(*streams) <= 1).count();
        (near * 10 >= self.started.len() * 8).then_some(*streams)
    }

    /// By how much the number of streams that flow rises per second, beyond what ends.
    pub(super) fn slope(&self) -> f64 {
        const LOOKS_PER_SECOND: f64 = 4.0;
        let (Some(first), Some(last)) = (self.started.first(), self.started.last()) else { return 0.0 };
        let seconds = (self.started.len().saturating_sub(1)).max(1) as f64 / LOOKS_PER_SECOND;
        (*last as f64 - *first as f64) / seconds
    }
}

impl Seen {
    /// The last level at which the server was as when idle; without one, that of no streams.
    pub(super) fn last_good(&self) -> DiagnosisLevel {
        let before = self.collapse.as_ref().map_or(self.levels.len(), |collapse| collapse.level);
        self.levels[..before].iter().max_by_key(|level| level.streams).cloned().unwrap_or_default()
    }

    /// The level of the collapse.
    pub(super) fn worst(&self) -> Option<&DiagnosisLevel> {
        self.levels.get(self.collapse.as_ref()?.level)
    }

    /// Whether a probe got no answer, or a late one, for the larger part of the collapse.
    pub(super) fn hangs(&self, probe: &str) -> bool {
        let Some(at) = self.worst().and_then(|level| level.probes.get(probe)) else { return false };
        let late = at.latency_ms.p50 >= self.late_ms(probe);
        at.sent > 0 && (late || (at.timed_out + at.failed) * 4 >= at.sent)
    }

    /// Whether a probe was answered as when idle, for the larger part.
    pub(super) fn is_fast(&self, probe: &str) -> bool {
        let Some(at) = self.worst().and_then(|level| level.probes.get(probe)) else { return false };
        at.sent > 0 && at.timed_out + at.failed == 0 && at.latency_ms.p90 < self.late_ms(probe)
    }

    /// Whether the asynchronous health check, where there is one, and a path that does not exist are both fast.
    pub(super) fn event_loop_is_free(&self) -> bool {
        let has_async = self.worst().is_some_and(|level| level.probes.contains_key(ASYNC_HEALTH));
        self.is_fast(UNKNOWN_PATH) && (!has_async || self.is_fast(ASYNC_HEALTH))
    }

    /// Whether the health check at this level takes longer than when idle, and than a path at the same level that needs
    /// no pool: the typical one, not the slowest. Chance does not make that.
    pub(super) fn health_needs_a_turn(&self, level: &DiagnosisLevel) -> bool {
        let p50 = |probe: &str| level.probes.get(probe).map_or(0.0, |probe| probe.latency_ms.p50);
        let idle = self.idle_ms.get(HEALTH).copied().unwrap_or_default();
        p50(HEALTH) >= 2.5 * idle.max(p50(UNKNOWN_PATH)) + 1.0
    }

    /// The latency from which on a probe counts as late: ten times the idle one, and at least a seventh of the
    /// time between two chunks, but no more than 100 ms.
    pub(super) fn late_ms(&self, probe: &str) -> f64 {
        let gap = crate::numbers::in_millis(self.idle.gap());
        let least = if gap > 0.0 { (0.15 * gap).clamp(10.0, 100.0) } else { 100.0 };
        (10.0 * self.idle_ms.get(probe).copied().unwrap_or_default()).max(least)
    }
}
