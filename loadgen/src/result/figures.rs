//! The figures of a result: quantiles, probes, the ledger, processes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Histograms;

/// A distribution in milliseconds. All zero if nothing was recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Quantiles {
    /// Half were below.
    pub p50: f64,
    /// Nine in ten were below.
    pub p90: f64,
    /// 99 in a hundred were below.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

/// A quantile of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantile {
    /// Half are below.
    P50,
    /// Nine in ten are below.
    P90,
    /// 99 in a hundred are below.
    P99,
    /// None is above.
    Max,
}

impl Quantile {
    /// Its rank among this many values; the smallest has rank 1.
    #[must_use]
    pub fn rank(self, values: u64) -> u64 {
        let percent = match self {
            Quantile::P50 => 50,
            Quantile::P90 => 90,
            Quantile::P99 => 99,
            Quantile::Max => 100,
        };
        values.saturating_mul(percent).div_ceil(100).max(1)
    }
}

impl Quantiles {
    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Quantiles::default()
    }

    /// One of them, in milliseconds.
    #[must_use]
    pub fn at(&self, quantile: Quantile) -> f64 {
        match quantile {
            Quantile::P50 => self.p50,
            Quantile::P90 => self.p90,
            Quantile::P99 => self.p99,
            Quantile::Max => self.max,
        }
    }
}

/// Counts and latencies of one kind of health probe. `sent = ok + failed + timed_out`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProbeStats {
    /// Probes that were due.
    pub sent: u64,
    /// Answered 2xx in time.
    pub ok: u64,
    /// Unreachable, or answered with another status. They have no latency: in the percentiles they rank behind
    /// all answers.
    pub failed: u64,
    /// Not answered within the time-out. In the latencies they count as the time-out.
    pub timed_out: u64,
    /// Probes that the generator could not send because it had no descriptors or ports left. They do not count as
    /// sent, and make the run invalid.
    #[serde(default)]
    pub not_sent: u64,
    /// Failed probes by cause: `{"status 503": 12}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<String, u64>,
    /// Answers by the value of the probe's JSON field: `{"healthy": 12}`. `says` in JSON.
    #[serde(rename = "says", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub field_values: BTreeMap<String, u64>,
    /// From when the probe was due to its answer.
    pub latency_ms: Quantiles,
    /// From when it was sent. The difference to `latency_ms` is the generator's own delay.
    pub latency_from_sent_ms: Quantiles,
    /// The slower half of `latency_ms`, with more of its percentiles; only in the `probes` of an arm. Probes that failed
    /// rank behind all of them, so that it may end before 100 percent.
    #[serde(rename = "distribution_ms", default, skip_serializing_if = "Vec::is_empty")]
    pub distribution: Vec<Percentile>,
    /// The histograms of both latencies, without the probes that failed; only in `phases` and `targets`.
    #[serde(default, skip_serializing_if = "Histograms::is_empty")]
    pub histograms: Histograms,
}

/// A point of a distribution: this share was answered within this time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Percentile {
    /// The share, from 0 to 100.
    pub percent: f64,
    /// The time.
    pub ms: f64,
}

impl ProbeStats {
    /// Probes with a latency: those answered 2xx, and those that timed out.
    #[must_use]
    pub fn timed(&self) -> u64 {
        self.ok.saturating_add(self.timed_out)
    }
}

/// Checks sent one after another on one connection. While an answer is late, no check is sent that would be late
/// as well.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClosedLoopStats {
    /// Checks sent.
    pub sent: u64,
    /// Checks not answered 2xx in time.
    pub failed: u64,
    /// From each request to its answer, whatever its status.
    pub latency_ms: Quantiles,
    /// Their mean, which is all that the original validation script judges.
    pub mean_ms: f64,
}

/// The vendor's counts in a period of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VendorStats {
    /// Generations started in it.
    pub started: u64,
    /// Generations completed in it.
    pub completed: u64,
    /// Generations whose client disconnected in it.
    pub cancelled: u64,
    /// Tokens handed to the socket in it.
    pub tokens_sent: u64,
    /// Tokens generated in it for clients that had disconnected.
    pub tokens_after_disconnect: u64,
    /// Active generations at its end.
    pub active: u64,
}

/// What a process used.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProcessStats {
    /// Processor time, user and system, of the whole run.
    pub cpu_seconds: f64,
    /// Peak resident memory.
    pub rss_peak_bytes: u64,
    /// Peak number of threads, if known.
    pub threads_peak: Option<u64>,
    /// Peak number of open descriptors, if known.
    pub fds_peak: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
pub(super) fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A quarter of a second of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TimelineRow {
    /// Its start.
    pub t_ms: f64,
    /// Streams open and calls without an answer at its end.
    pub streams_active: u64,
    /// Tokens received in it.
    pub chunks: u64,
    /// Streams completed and calls answered 2xx in it; absent if there were none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub completed: u64,
    /// Largest latency of the probes that were due in it, by probe.
    pub probe_max_ms: BTreeMap<String, f64>,
    /// Probes due in it that timed out, by probe.
    pub probe_timed_out: BTreeMap<String, u64>,
    /// Probes due in it that failed, by probe; only those of which some did. A refusal may have been fast.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub probe_failed: BTreeMap<String, u64>,
    /// Probes due in it that have no answer yet, by probe: in `probe_max_ms` they count as the time that they have waited
    /// so far. Only while a run is under way; absent in a result file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub probe_waiting: BTreeMap<String, u64>,
    /// Share of one processor that the server used in it.
    pub cpu_cores: Option<f64>,
    /// Resident memory at its end.
    pub rss_bytes: Option<u64>,
    /// Threads at its end.
    pub threads: Option<u64>,
    /// Open descriptors at its end.
    pub fds: Option<u64>,
}
