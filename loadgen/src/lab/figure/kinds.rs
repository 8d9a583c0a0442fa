//! Figures of probes, closed loops, streams, calls and vendors.

use crate::result::{ArmResult, ClosedLoopStats, PhaseResult, ProbeStats, Quantile, StreamStats, VendorStats};

/// A figure of a probe.
#[derive(Debug, Clone, Copy)]
pub enum ProbeFigure {
    /// Its latency from when it was due, in milliseconds; a time-out counts at its time-out.
    Latency(Quantile),
    /// Probes that timed out.
    TimedOut,
    /// Probes that timed out, in percent.
    TimedOutShare,
    /// Probes that were answered 2xx in time, in percent.
    AnsweredShare,
    /// Probes whose answer had this value in the field, in percent.
    FieldIs(&'static str),
}

/// A figure of a closed loop.
#[derive(Debug, Clone, Copy)]
pub enum ClosedLoopFigure {
    /// The latency from when the request was sent, in milliseconds.
    Latency(Quantile),
    /// The mean latency, in milliseconds.
    Mean,
}

/// A figure of streams.
#[derive(Debug, Clone, Copy)]
pub enum StreamFigure {
    /// Completed.
    Completed,
    /// Failed, truncated or stalled.
    Lost,
    /// Ended after a 200, neither complete nor with an error event.
    Truncated,
    /// Failed for this cause.
    Failure(&'static str),
    /// Closed by the client.
    Disconnected,
    /// Answered with this HTTP status.
    Status(&'static str),
    /// Answered with this `X-Stream-Method`.
    Method(&'static str),
}

/// A figure of the vendor's ledger.
#[derive(Debug, Clone, Copy)]
pub enum VendorFigure {
    /// Peak of active generations, from the start of the run to the end of the phase.
    PeakActive,
    /// Active generations at the end of the phase.
    Active,
    /// Generations started in it.
    Started,
    /// Generations whose client disconnected in it.
    Cancelled,
    /// Tokens handed to the socket in it.
    TokensSent,
    /// Active generations throughout the phase: the 10th percentile of the samples.
    ActiveThroughout,
    /// Calls that it failed, hung or truncated since the start of the phase.
    Failed,
}

/// A figure of non-streaming calls.
#[derive(Debug, Clone, Copy)]
pub enum CallFigure {
    /// Answered 2xx.
    Answered,
    /// From when a call was due to its complete answer, in milliseconds.
    Latency(Quantile),
}

impl ProbeFigure {
    pub(super) fn of(self, stats: &ProbeStats) -> f64 {
        let share = |count: u64| 100.0 * count as f64 / stats.sent.max(1) as f64;
        match self {
            ProbeFigure::Latency(quantile) => stats.latency_ms.at(quantile),
            ProbeFigure::TimedOut => stats.timed_out as f64,
            ProbeFigure::TimedOutShare => share(stats.timed_out),
            ProbeFigure::AnsweredShare => share(stats.ok),
            ProbeFigure::FieldIs(word) => share(stats.field_values.get(word).copied().unwrap_or(0)),
        }
    }
}

impl ClosedLoopFigure {
    pub(super) fn of(self, stats: &ClosedLoopStats) -> f64 {
        match self {
            ClosedLoopFigure::Latency(quantile) => stats.latency_ms.at(quantile),
            ClosedLoopFigure::Mean => stats.mean_ms,
        }
    }
}

impl StreamFigure {
    pub(super) fn of(self, streams: &StreamStats) -> f64 {
        let counted = |by: &std::collections::BTreeMap<String, u64>, key: &str| by.get(key).copied().unwrap_or(0);
        (match self {
            StreamFigure::Completed => streams.completed,
            StreamFigure::Lost => streams.lost(),
            StreamFigure::Truncated => streams.truncated,
            StreamFigure::Failure(cause) => counted(&streams.failures, cause),
            StreamFigure::Disconnected => streams.disconnected,
            StreamFigure::Status(status) => counted(&streams.by_status, status),
            StreamFigure::Method(method) => counted(&streams.by_method, method),
        }) as f64
    }

    pub(super) fn of_all(self, arm: &ArmResult) -> f64 {
        arm.phases.iter().filter_map(|phase| phase.streams.as_ref()).map(|streams| self.of(streams)).sum()
    }
}

impl VendorFigure {
    pub(super) fn of(self, phase: &PhaseResult) -> Option<f64> {
        let seen = |count: fn(&VendorStats) -> u64| phase.vendor.as_ref().map(count);
        let count = match self {
            VendorFigure::PeakActive => phase.vendor_peak_active,
            VendorFigure::Active => seen(|vendor| vendor.active),
            VendorFigure::Started => seen(|vendor| vendor.started),
            VendorFigure::Cancelled => seen(|vendor| vendor.cancelled),
            VendorFigure::TokensSent => seen(|vendor| vendor.tokens_sent),
            VendorFigure::ActiveThroughout => phase.vendor_load.map(|load| load.active_throughout),
            VendorFigure::Failed => phase.vendor_load.map(|load| load.failed),
        };
        count.map(|count| count as f64)
    }
}

impl CallFigure {
    /// Its value; `None` for a latency if no call was answered.
    pub(super) fn of(self, calls: &StreamStats) -> Option<f64> {
        match self {
            CallFigure::Answered => Some(calls.completed as f64),
            CallFigure::Latency(quantile) => (calls.completed > 0).then(|| calls.latency_ms.at(quantile)),
        }
    }
}
