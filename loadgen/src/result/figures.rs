//! The figures of a result: quantiles, streams, probes, the ledger, processes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A distribution in milliseconds. All zero when nothing was recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
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
    /// Which of so many values it is, the smallest being the first.
    #[must_use]
    pub fn rank(self, values: u64) -> u64 {
        let percent = match self {
            Quantile::P50 => 50,
            Quantile::P90 => 90,
            Quantile::P99 => 99,
            Quantile::Max => 100,
        };
        (values * percent).div_ceil(100).max(1)
    }
}

impl Quantiles {
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

/// What became of the streams. `requested = completed + failed + truncated + left`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct StreamStats {
    /// Streams that were due.
    pub requested: u64,
    /// Most streams that were open at once, from being sent to their end.
    pub peak_active: u64,
    /// Ended whole, after at least one token.
    pub completed: u64,
    /// Refused, unreachable, no event stream, timed out, ended by an error event or without a token.
    pub failed: u64,
    /// Ended after a 200, neither whole nor with an error.
    pub truncated: u64,
    /// Closed by the generator itself: the run was over, or its clients were told to leave.
    #[serde(rename = "left")]
    pub disconnected: u64,
    /// Of those left, the streams that had stalled by the end of the run: silent for over ten times the
    /// mean gap between their own tokens, or without a token for over ten times the run's median time to
    /// first token; at least 500 ms in both cases.
    #[serde(default)]
    pub stalled: u64,
    /// Streams that never brought a token, for whatever reason. They have no time to first token.
    pub without_token: u64,
    /// Of the completed, those that ended in order but without `[DONE]`.
    #[serde(default)]
    pub without_done: u64,
    /// Streams whose first token came more than a second after they were due.
    #[serde(default)]
    pub first_token_late: u64,
    /// Why streams failed, counted by cause.
    #[serde(default)]
    pub failures: BTreeMap<String, u64>,
    /// The first characters of one answer, for each cause of which there is an answer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failure_answers: BTreeMap<String, String>,
    /// Answers by HTTP status: `{"200": 40, "502": 2}`.
    #[serde(default)]
    pub by_status: BTreeMap<String, u64>,
    /// Answers by `X-Stream-Method`: `blocking`, `async`, `async_failure`.
    #[serde(default)]
    pub by_method: BTreeMap<String, u64>,
    /// From when the stream was due until its first token.
    pub time_to_first_token_ms: Quantiles,
    /// From when the request was sent until its first token.
    pub time_to_first_token_from_sent_ms: Quantiles,
    /// Between one token and the next.
    pub inter_token_ms: Quantiles,
    /// Tokens received.
    pub chunks: u64,
    /// Tokens received a second, from the first stream to the end.
    pub chunks_per_second: f64,
}

impl StreamStats {
    /// Streams that did not bring what they should: failed, cut, or stalled until the end of the run.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.failed + self.truncated + self.stalled
    }
}

/// What became of one kind of health probe. `sent = ok + failed + timed_out`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ProbeStats {
    /// Probes that were due.
    pub sent: u64,
    /// Answered 2xx in time.
    pub ok: u64,
    /// Refused, unreachable, or answered with another status. They have no latency: in the percentiles
    /// they rank behind every answer.
    pub failed: u64,
    /// Not answered within the probe's time-out. In the latencies they count at that time-out.
    pub timed_out: u64,
    /// Probes that the generator could not send for want of descriptors or ports of its own. They are not
    /// among those sent, and a run that has any is invalid.
    #[serde(default)]
    pub not_sent: u64,
    /// Why probes failed, counted by cause: `{"status 503": 12}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<String, u64>,
    /// What the answers said, where the probe looks at a field of them: `{"healthy": 12}`.
    #[serde(rename = "says", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub field_values: BTreeMap<String, u64>,
    /// From when the probe was due until its answer.
    pub latency_ms: Quantiles,
    /// From when it was sent. A difference to `latency_ms` is the generator's own delay.
    pub latency_from_sent_ms: Quantiles,
}

impl ProbeStats {
    /// Probes that have a latency: those that were answered 2xx, and those that timed out.
    #[must_use]
    pub fn timed(&self) -> u64 {
        self.ok + self.timed_out
    }
}

/// What somebody sees who asks one after the other on one connection: while an answer is late, the
/// questions that would have been late as well are not asked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ClosedLoopStats {
    /// Questions asked.
    pub sent: u64,
    /// Of these, not answered 2xx, or not in time.
    pub failed: u64,
    /// From each question to its answer, whatever it was.
    pub latency_ms: Quantiles,
    /// Their mean, which is all that the source's validation looks at.
    pub mean_ms: f64,
}

/// What the vendor saw in a stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VendorStats {
    /// Generations begun in it.
    pub started: u64,
    /// Generations delivered whole in it.
    pub completed: u64,
    /// Generations whose client left in it.
    pub cancelled: u64,
    /// Tokens handed to the socket in it.
    pub tokens_sent: u64,
    /// Tokens generated in it for clients that had left.
    pub tokens_after_disconnect: u64,
    /// Generations under way at its end.
    pub active: u64,
}

/// What a process used.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct ProcessStats {
    /// Processor time, user and system, of the whole run.
    pub cpu_seconds: f64,
    /// Most resident memory that was seen.
    pub rss_peak_bytes: u64,
    /// Most threads that were seen, where the system tells.
    pub threads_peak: Option<u64>,
    /// Most open descriptors that were seen, where the system tells.
    pub fds_peak: Option<u64>,
}

/// A quarter of a second of a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TimelineRow {
    /// Its start.
    pub t_ms: f64,
    /// Streams open at its end.
    pub streams_active: u64,
    /// Tokens received in it.
    pub chunks: u64,
    /// Largest latency of the probes that were due in it, by probe; a time-out counts at its time-out.
    pub probe_max_ms: BTreeMap<String, f64>,
    /// Probes due in it that timed out, by probe.
    pub probe_timed_out: BTreeMap<String, u64>,
    /// Share of one processor that the server used in it.
    pub cpu_cores: Option<f64>,
    /// Resident memory at its end.
    pub rss_bytes: Option<u64>,
    /// Threads at its end.
    pub threads: Option<u64>,
    /// Open descriptors at its end.
    pub fds: Option<u64>,
}
