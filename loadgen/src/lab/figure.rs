use std::time::Duration;

use crate::result::{
    ArmResult, ClosedLoopStats, PhaseResult, ProbeStats, Quantile, RunResult, StreamStats, VendorStats,
};

/// A figure of a result. Arms, phases and probes are named as in the lab.
#[derive(Debug, Clone, Copy)]
pub enum Figure {
    /// Of the open-loop probes that were due in a phase.
    Probe {
        /// Whose.
        arm: &'static str,
        /// When.
        phase: &'static str,
        /// Which probe.
        probe: &'static str,
        /// What of it.
        what: ProbeFigure,
    },
    /// Of the questions that were asked one after the other in a phase.
    ClosedLoop {
        /// Whose.
        arm: &'static str,
        /// When.
        phase: &'static str,
        /// What of it.
        what: ClosedLoopFigure,
    },
    /// Of the streams that were begun in a phase; of all, when none is named.
    Streams {
        /// Whose.
        arm: &'static str,
        /// When.
        phase: Option<&'static str>,
        /// What of them.
        what: StreamFigure,
    },
    /// Of what the vendor saw in a phase.
    Vendor {
        /// Whose vendor.
        arm: &'static str,
        /// When.
        phase: &'static str,
        /// What of it.
        what: VendorFigure,
    },
    /// Share of one processor that the server used in a phase.
    CpuCores {
        /// Whose.
        arm: &'static str,
        /// When.
        phase: &'static str,
    },
    /// One figure over another.
    Ratio(&'static Figure, &'static Figure),
    /// A latency in units of the lab's own: token gaps, lengths of a stream.
    In {
        /// The latency.
        latency: &'static Figure,
        /// What it is measured in.
        unit: Duration,
        /// The unit's name in output.
        name: &'static str,
    },
}

/// What of a probe.
#[derive(Debug, Clone, Copy)]
pub enum ProbeFigure {
    /// Its latency from when it was due, in milliseconds; a time-out counts at its time-out.
    Latency(Quantile),
    /// Probes that timed out.
    TimedOut,
    /// Their share of all, in percent.
    TimedOutShare,
    /// Share of the probes whose answer said this, in percent.
    Says(&'static str),
}

/// What of a closed loop.
#[derive(Debug, Clone, Copy)]
pub enum ClosedLoopFigure {
    /// The latency from when a question was sent, in milliseconds.
    Latency(Quantile),
    /// Its mean.
    Mean,
}

/// What of streams.
#[derive(Debug, Clone, Copy)]
pub enum StreamFigure {
    /// Delivered whole.
    Completed,
    /// Failed or cut.
    Lost,
    /// Closed by their client.
    Left,
    /// Answered with this HTTP status.
    Status(&'static str),
    /// Answered with this `X-Stream-Method`.
    Method(&'static str),
}

/// What of the vendor's ledger.
#[derive(Debug, Clone, Copy)]
pub enum VendorFigure {
    /// Most generations under way at once, from the start of the run until the end of the phase.
    PeakActive,
    /// Generations under way at the end of the phase.
    Active,
    /// Generations begun in it.
    Started,
    /// Generations whose client left in it.
    Cancelled,
    /// Tokens handed to the socket in it.
    TokensSent,
}

impl Figure {
    /// The 99th percentile of a probe's latency in a phase.
    #[must_use]
    pub const fn p99(arm: &'static str, phase: &'static str, probe: &'static str) -> Self {
        Figure::Probe { arm, phase, probe, what: ProbeFigure::Latency(Quantile::P99) }
    }

    /// The 90th percentile: where a phase has few probes, the 99th is the one that met a busy machine.
    #[must_use]
    pub const fn p90(arm: &'static str, phase: &'static str, probe: &'static str) -> Self {
        Figure::Probe { arm, phase, probe, what: ProbeFigure::Latency(Quantile::P90) }
    }

    /// Another figure of a probe in a phase.
    #[must_use]
    pub const fn probe(arm: &'static str, phase: &'static str, probe: &'static str, what: ProbeFigure) -> Self {
        Figure::Probe { arm, phase, probe, what }
    }

    /// What the vendor saw in a phase.
    #[must_use]
    pub const fn vendor(arm: &'static str, phase: &'static str, what: VendorFigure) -> Self {
        Figure::Vendor { arm, phase, what }
    }

    /// What became of the streams that were begun in a phase.
    #[must_use]
    pub const fn streams(arm: &'static str, phase: &'static str, what: StreamFigure) -> Self {
        Figure::Streams { arm, phase: Some(phase), what }
    }

    /// What became of all streams of an arm.
    #[must_use]
    pub const fn all_streams(arm: &'static str, what: StreamFigure) -> Self {
        Figure::Streams { arm, phase: None, what }
    }

    /// A latency in token gaps.
    #[must_use]
    pub const fn gaps(latency: &'static Figure, gap: Duration) -> Self {
        Figure::In { latency, unit: gap, name: "gaps" }
    }

    /// Its value in `result`; none where nothing was measured.
    #[must_use]
    pub fn of(&self, result: &RunResult) -> Option<f64> {
        match *self {
            Figure::Probe { arm, phase, probe, what } => {
                // Probes that were really sent: no probes are no evidence.
                let stats = find_phase(result, arm, phase)?.probes.get(probe).filter(|stats| stats.sent > 0)?;
                // A probe that failed has no latency.
                let measured = stats.timed() > 0 || !matches!(what, ProbeFigure::Latency(_));
                measured.then(|| what.of(stats))
            }
            Figure::ClosedLoop { arm, phase, what } => {
                let stats = find_phase(result, arm, phase)?.closed_loop.as_ref().filter(|stats| stats.sent > 0)?;
                Some(what.of(stats))
            }
            Figure::Streams { arm, phase: Some(phase), what } => {
                Some(what.of(find_phase(result, arm, phase)?.streams.as_ref()?))
            }
            Figure::Streams { arm, phase: None, what } => Some(what.of_all(result.arms.get(arm)?)),
            Figure::Vendor { arm, phase, what } => what.of(find_phase(result, arm, phase)?),
            Figure::CpuCores { arm, phase } => find_phase(result, arm, phase)?.cpu_cores,
            Figure::Ratio(over, under) => {
                let under = under.of(result).filter(|under| *under > 0.0)?;
                Some(over.of(result)? / under)
            }
            Figure::In { latency, unit, .. } => Some(latency.of(result)? / (unit.as_secs_f64() * 1000.0)),
        }
    }

    /// The arms that it speaks of.
    #[must_use]
    pub fn arms(&self) -> Vec<&'static str> {
        match *self {
            Figure::Probe { arm, .. }
            | Figure::ClosedLoop { arm, .. }
            | Figure::Streams { arm, .. }
            | Figure::Vendor { arm, .. }
            | Figure::CpuCores { arm, .. } => vec![arm],
            Figure::Ratio(over, under) => {
                let mut arms = [over.arms(), under.arms()].concat();
                arms.sort_unstable();
                arms.dedup();
                arms
            }
            Figure::In { latency, .. } => latency.arms(),
        }
    }

    /// The latency in it, in milliseconds: the generator's lag is judged against it. Of a ratio the
    /// larger side: lag can only enlarge the smaller one, which speaks against the claim.
    #[must_use]
    pub fn latency_ms(&self, result: &RunResult) -> Option<f64> {
        match *self {
            Figure::Probe { what: ProbeFigure::Latency(_), .. } | Figure::ClosedLoop { .. } => self.of(result),
            Figure::Ratio(over, _) => over.latency_ms(result),
            Figure::In { latency, .. } => latency.latency_ms(result),
            _ => None,
        }
    }

    /// Its unit in output and JSON.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self {
            Figure::Probe { what: ProbeFigure::Latency(_), .. } | Figure::ClosedLoop { .. } => "ms",
            Figure::Probe { what: ProbeFigure::Says(_) | ProbeFigure::TimedOutShare, .. } => "%",
            Figure::Probe { .. } => "probes",
            Figure::Streams { .. } => "streams",
            Figure::Vendor { what: VendorFigure::TokensSent, .. } => "tokens",
            Figure::Vendor { .. } => "streams",
            Figure::CpuCores { .. } => "cores",
            Figure::Ratio(..) => "x",
            Figure::In { name, .. } => name,
        }
    }
}

fn find_phase<'a>(result: &'a RunResult, arm: &str, phase: &str) -> Option<&'a PhaseResult> {
    result.arms.get(arm)?.phases.iter().find(|candidate| candidate.name == phase)
}

impl ProbeFigure {
    fn of(self, stats: &ProbeStats) -> f64 {
        let share = |count: u64| 100.0 * count as f64 / stats.sent.max(1) as f64;
        match self {
            ProbeFigure::Latency(quantile) => stats.latency_ms.at(quantile),
            ProbeFigure::TimedOut => stats.timed_out as f64,
            ProbeFigure::TimedOutShare => share(stats.timed_out),
            ProbeFigure::Says(word) => share(stats.says.get(word).copied().unwrap_or(0)),
        }
    }
}

impl ClosedLoopFigure {
    fn of(self, stats: &ClosedLoopStats) -> f64 {
        match self {
            ClosedLoopFigure::Latency(quantile) => stats.latency_ms.at(quantile),
            ClosedLoopFigure::Mean => stats.mean_ms,
        }
    }
}

impl StreamFigure {
    fn of(self, streams: &StreamStats) -> f64 {
        let counted = |by: &std::collections::BTreeMap<String, u64>, key: &str| by.get(key).copied().unwrap_or(0);
        (match self {
            StreamFigure::Completed => streams.completed,
            StreamFigure::Lost => streams.lost(),
            StreamFigure::Left => streams.left,
            StreamFigure::Status(status) => counted(&streams.by_status, status),
            StreamFigure::Method(method) => counted(&streams.by_method, method),
        }) as f64
    }

    fn of_all(self, arm: &ArmResult) -> f64 {
        arm.phases.iter().filter_map(|phase| phase.streams.as_ref()).map(|streams| self.of(streams)).sum()
    }
}

impl VendorFigure {
    fn of(self, phase: &PhaseResult) -> Option<f64> {
        let seen = |count: fn(&VendorStats) -> u64| phase.vendor.as_ref().map(count);
        let count = match self {
            VendorFigure::PeakActive => phase.vendor_peak_active,
            VendorFigure::Active => seen(|vendor| vendor.active),
            VendorFigure::Started => seen(|vendor| vendor.started),
            VendorFigure::Cancelled => seen(|vendor| vendor.cancelled),
            VendorFigure::TokensSent => seen(|vendor| vendor.tokens_sent),
        };
        count.map(|count| count as f64)
    }
}
