use crate::result::{ArmName, ArmResult, PhaseResult, ProbeStats, Quantile, RunResult};

/// A figure of a result.
#[derive(Debug, Clone, Copy)]
pub enum Figure {
    /// Latency of a probe in a phase, in milliseconds, from when it was due.
    Latency {
        /// Whose.
        arm: ArmName,
        /// When.
        phase: &'static str,
        /// Which probe.
        probe: &'static str,
        /// Which quantile.
        at: Quantile,
    },
    /// Probes that timed out in a phase.
    TimedOut {
        /// Whose.
        arm: ArmName,
        /// When.
        phase: &'static str,
        /// Which probe.
        probe: &'static str,
    },
    /// Most generations that the vendor had under way until the end of a phase.
    VendorPeak {
        /// Whose vendor.
        arm: ArmName,
        /// Until when.
        phase: &'static str,
    },
    /// Streams that failed or were cut, of all that were opened for this arm.
    Lost {
        /// Whose.
        arm: ArmName,
    },
    /// Share of one processor that the server used in a phase.
    CpuCores {
        /// Whose.
        arm: ArmName,
        /// When.
        phase: &'static str,
    },
    /// One figure over another.
    Ratio(&'static Figure, &'static Figure),
}

/// How a figure is compared with its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// At least.
    AtLeast,
    /// At most.
    AtMost,
    /// Exactly: for counts.
    Exactly,
}

impl Comparison {
    /// The sign in output and JSON.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Comparison::AtLeast => ">=",
            Comparison::AtMost => "<=",
            Comparison::Exactly => "==",
        }
    }

    /// Whether it is true of `measured`.
    #[must_use]
    pub fn holds(self, measured: f64, threshold: f64) -> bool {
        match self {
            Comparison::AtLeast => measured >= threshold,
            Comparison::AtMost => measured <= threshold,
            Comparison::Exactly => (measured - threshold).abs() < f64::EPSILON,
        }
    }
}

impl Figure {
    /// Its value in `result`; none where nothing was measured.
    #[must_use]
    pub fn of(&self, result: &RunResult) -> Option<f64> {
        match *self {
            Figure::Latency { arm, phase, probe, at } => {
                let stats = probe_stats(result, arm, phase, probe)?;
                Some(stats.latency_ms.at(at))
            }
            Figure::TimedOut { arm, phase, probe } => Some(probe_stats(result, arm, phase, probe)?.timed_out as f64),
            Figure::VendorPeak { arm, phase } => Some(find_phase(result, arm, phase)?.vendor_peak_active? as f64),
            Figure::Lost { arm } => Some(lost(result.arms.get(&arm)?) as f64),
            Figure::CpuCores { arm, phase } => find_phase(result, arm, phase)?.cpu_cores,
            Figure::Ratio(over, under) => {
                let under = under.of(result).filter(|under| *under > 0.0)?;
                Some(over.of(result)? / under)
            }
        }
    }

    /// The arms that it speaks of.
    #[must_use]
    pub fn arms(&self) -> Vec<ArmName> {
        match *self {
            Figure::Latency { arm, .. }
            | Figure::TimedOut { arm, .. }
            | Figure::VendorPeak { arm, .. }
            | Figure::Lost { arm }
            | Figure::CpuCores { arm, .. } => vec![arm],
            Figure::Ratio(over, under) => {
                let mut arms = [over.arms(), under.arms()].concat();
                arms.sort_unstable();
                arms.dedup();
                arms
            }
        }
    }

    /// The latency in it, in milliseconds: the generator's lag is judged against it. Of a ratio the
    /// larger side: lag can only enlarge the smaller one, which speaks against the claim.
    #[must_use]
    pub fn latency_ms(&self, result: &RunResult) -> Option<f64> {
        match *self {
            Figure::Latency { .. } => self.of(result),
            Figure::Ratio(over, _) => over.latency_ms(result),
            _ => None,
        }
    }

    /// Its unit in output and JSON.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self {
            Figure::Latency { .. } => "ms",
            Figure::TimedOut { .. } => "probes",
            Figure::VendorPeak { .. } | Figure::Lost { .. } => "streams",
            Figure::CpuCores { .. } => "cores",
            Figure::Ratio(..) => "x",
        }
    }
}

fn find_phase<'a>(result: &'a RunResult, arm: ArmName, phase: &str) -> Option<&'a PhaseResult> {
    result.arms.get(&arm)?.phases.iter().find(|candidate| candidate.name == phase)
}

/// Stats of probes that were really sent: no probes are no evidence.
fn probe_stats<'a>(result: &'a RunResult, arm: ArmName, phase: &str, probe: &str) -> Option<&'a ProbeStats> {
    find_phase(result, arm, phase)?.probes.get(probe).filter(|stats| stats.sent > 0)
}

fn lost(arm: &ArmResult) -> u64 {
    let added: u64 = arm.phases.iter().filter_map(|phase| phase.streams.as_ref()).map(|streams| streams.lost()).sum();
    arm.streams.lost() + added
}
