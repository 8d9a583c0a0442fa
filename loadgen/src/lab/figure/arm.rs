//! Figures of one arm as a whole, for the general claims.

use super::{Figure, Place, Source};
use crate::lab::phase::{BASELINE, LOADED};
use crate::result::{ArmResult, ExpectedLoad, PhaseResult, RunResult, StreamStats, Unit};

/// A figure of one arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArmFigure {
    /// Probes that were not answered 2xx in time, including those of the closed loop.
    ProbesUnanswered,
    /// Streams that failed, were truncated or stalled but should have flowed.
    StreamsLost,
    /// Streams without a token that should have flowed.
    WithoutToken,
    /// The delay that the server added to the first token, in milliseconds: the 90th percentile of the worst
    /// phase.
    FirstTokenLate,
    /// The median time between two tokens, as a share of the vendor's gap: near 0 if tokens arrive in batches.
    GapMedian,
    /// Tokens that the clients had received by the end of `loaded`, in percent of those sent by the vendor.
    TokensReceived,
    /// Threads under load minus those of the idle server.
    ThreadsOverIdle,
    /// Calls that its vendor failed but should not have.
    VendorFailed,
    /// Tokens per completed call that its vendor had sent by the end of `loaded`, in percent of those
    /// requested.
    VendorTokensPerCall,
    /// The token rate per stream of its vendor during `loaded`, in percent of the rate requested.
    VendorTokenRate,
}

impl ArmFigure {
    fn of(self, arm: &ArmResult) -> Option<f64> {
        match self {
            ArmFigure::ProbesUnanswered => probes_unanswered(arm),
            ArmFigure::StreamsLost => total(arm, StreamStats::lost),
            ArmFigure::WithoutToken => total(arm, |streams| streams.without_token),
            ArmFigure::FirstTokenLate => {
                let late = |(expected, streams): (&ExpectedLoad, &StreamStats)| {
                    (streams.time_to_first_token_ms.p90 - expected.first_token_ms).max(0.0)
                };
                flowing(arm).filter(|(_, streams)| streams.chunks > 0).map(late).reduce(f64::max)
            }
            ArmFigure::GapMedian => {
                let gap =
                    |(expected, streams): (&ExpectedLoad, &StreamStats)| streams.inter_token_ms.p50 / expected.gap_ms;
                let measured = flowing(arm).filter(|(_, streams)| streams.inter_token_ms.max > 0.0);
                measured.map(gap).reduce(f64::min)
            }
            ArmFigure::TokensReceived => {
                let loaded = phase(arm, LOADED).filter(|phase| phase.expected.is_some())?;
                let load = loaded.vendor_load.filter(|load| load.tokens_sent_so_far > 0)?;
                Some(100.0 * load.tokens_received_so_far as f64 / load.tokens_sent_so_far as f64)
            }
            ArmFigure::ThreadsOverIdle => threads_over_idle(arm),
            ArmFigure::VendorFailed => {
                let phases = arm.phases.iter().filter(|phase| phase.expected.is_some());
                phases
                    .filter_map(|phase| phase.vendor_load)
                    .map(|load| load.failed as f64)
                    .reduce(|sum, more| sum + more)
            }
            ArmFigure::VendorTokensPerCall => {
                let loaded = phase(arm, LOADED)?;
                let load = loaded.vendor_load.filter(|load| load.completed_so_far > 0)?;
                let begun = arm.phases.iter().take_while(|phase| phase.from_ms <= loaded.from_ms);
                let expected = begun.filter_map(|phase| phase.expected).map(|expected| expected.tokens).min()?;
                Some(100.0 * load.tokens_sent_so_far as f64 / load.completed_so_far as f64 / expected as f64)
            }
            ArmFigure::VendorTokenRate => vendor_token_rate(phase(arm, LOADED)?),
        }
    }
}

impl Source for ArmFigure {
    fn of(&self, place: &Place, result: &RunResult) -> Option<f64> {
        ArmFigure::of(*self, place.arm_in(result)?)
    }

    fn is_latency(&self) -> bool {
        *self == ArmFigure::FirstTokenLate
    }

    fn unit(&self) -> Unit {
        match self {
            ArmFigure::ProbesUnanswered => Unit::PROBES,
            ArmFigure::StreamsLost | ArmFigure::WithoutToken => Unit::STREAMS,
            ArmFigure::FirstTokenLate => Unit::Milliseconds,
            ArmFigure::GapMedian => Unit::count("gaps"),
            ArmFigure::TokensReceived | ArmFigure::VendorTokensPerCall | ArmFigure::VendorTokenRate => Unit::Percent,
            ArmFigure::ThreadsOverIdle => Unit::THREADS,
            ArmFigure::VendorFailed => Unit::CALLS,
        }
    }
}

impl Place {
    /// A figure of the arm as a whole.
    #[must_use]
    pub fn of_arm(self, what: ArmFigure) -> Figure {
        Figure::new(self, what)
    }
}

fn phase<'a>(arm: &'a ArmResult, name: &str) -> Option<&'a PhaseResult> {
    arm.phases.iter().find(|phase| phase.name == name)
}

/// The expected load and the streams of each phase whose streams should flow.
fn flowing(arm: &ArmResult) -> impl Iterator<Item = (&ExpectedLoad, &StreamStats)> {
    arm.phases.iter().filter_map(|phase| phase.expected.as_ref().zip(phase.streams.as_ref()))
}

fn total(arm: &ArmResult, count: fn(&StreamStats) -> u64) -> Option<f64> {
    flowing(arm).map(|(_, streams)| count(streams) as f64).reduce(|sum, more| sum + more)
}

fn probes_unanswered(arm: &ArmResult) -> Option<f64> {
    // A server that the lab has asked to end is not expected to answer.
    let phases = || arm.phases.iter().filter(|phase| !arm.is_stopping_in(phase));
    let probes = || phases().flat_map(|phase| phase.probes.values());
    let one_by_one = phases().filter_map(|phase| phase.closed_loop.as_ref());
    let unanswered = probes().map(|stats| stats.sent - stats.ok).sum::<u64>();
    let failed = one_by_one.map(|stats| stats.failed).sum::<u64>();
    probes().any(|stats| stats.sent > 0).then_some((unanswered + failed) as f64)
}

/// Phases without streams are left out: their actions may need threads.
fn threads_over_idle(arm: &ArmResult) -> Option<f64> {
    let idle = phase(arm, BASELINE)?.threads_peak?;
    let busy = arm.phases.iter().filter(|phase| phase.streams.is_some());
    let peak = busy.filter_map(|phase| phase.threads_peak).max()?;
    Some(peak.saturating_sub(idle) as f64)
}

fn vendor_token_rate(loaded: &PhaseResult) -> Option<f64> {
    let load = loaded.vendor_load.filter(|load| load.active_mean >= 0.5)?;
    let stream_ms = load.active_mean * (loaded.to_ms - loaded.from_ms);
    let due = stream_ms / loaded.expected?.gap_ms;
    (due > 0.0).then_some(100.0 * loaded.vendor?.tokens_sent as f64 / due)
}
