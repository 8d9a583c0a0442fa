//! The metrics of objectives.

use crate::numbers::in_millis;
use crate::result::{ArmResult, ProbeStats, Quantile, Unit};

/// The metric of an objective.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Metric {
    Latency(Probe, Quantile),
    ProbesFailed(Probe),
    ProbesTimedOut(Probe),
    FirstToken(Quantile),
    InterToken(Quantile),
    FailedShare,
    Count(Count),
}

/// A probe, by its name in the objective.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Probe(String);

impl Probe {
    pub(super) fn name(&self) -> &str {
        &self.0
    }

    /// The names that it can mean, the first that exists: `health` is short for `health_sync`.
    pub(super) fn candidates(&self) -> impl Iterator<Item = &str> {
        let long = (self.0 == "health").then_some("health_sync");
        std::iter::once(self.name()).chain(long)
    }

    /// Its figures, if it was sent at all.
    fn of<'a>(&self, target: &'a ArmResult) -> Option<&'a ProbeStats> {
        self.candidates().find_map(|name| target.probes.get(name)).filter(|stats| stats.sent > 0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    Requested,
    Completed,
    Failed,
    Truncated,
    Stalled,
    Lost,
    WithoutToken,
    PeakActive,
}

impl Metric {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let count = |count| Some(Metric::Count(count));
        match text {
            "failed_share" => return Some(Metric::FailedShare),
            "requested" => return count(Count::Requested),
            "completed" => return count(Count::Completed),
            "failed" => return count(Count::Failed),
            "truncated" => return count(Count::Truncated),
            "stalled" => return count(Count::Stalled),
            "lost" => return count(Count::Lost),
            "without_token" => return count(Count::WithoutToken),
            "peak_active" => return count(Count::PeakActive),
            _ => {}
        }
        let (of, what) = text.rsplit_once('.')?;
        let probe = Probe(of.to_owned());
        let quantile = match what {
            "p50" => Quantile::P50,
            "p90" => Quantile::P90,
            "p99" => Quantile::P99,
            "max" => Quantile::Max,
            "failed" => return Some(Metric::ProbesFailed(probe)),
            "timed_out" => return Some(Metric::ProbesTimedOut(probe)),
            _ => return None,
        };
        Some(match of {
            "ttft" => Metric::FirstToken(quantile),
            "inter_token" => Metric::InterToken(quantile),
            _ => Metric::Latency(probe, quantile),
        })
    }

    /// Parses the threshold.
    pub(super) fn parse_value(&self, text: &str) -> Option<f64> {
        let number = match self.unit() {
            Unit::Milliseconds => in_millis(humantime::parse_duration(text).ok()?),
            Unit::Percent => text.strip_suffix('%')?.trim().parse().ok()?,
            _ => text.parse().ok()?,
        };
        (number.is_finite() && number >= 0.0).then_some(number)
    }

    pub(super) fn expected_value(&self) -> &'static str {
        match self.unit() {
            Unit::Milliseconds => "its value must be a duration such as 100ms",
            Unit::Percent => "its value must be a share such as 1%",
            _ => "its value must be a number",
        }
    }

    pub(super) fn unit(&self) -> Unit {
        match self {
            Metric::Latency(..) | Metric::FirstToken(_) | Metric::InterToken(_) => Unit::Milliseconds,
            Metric::ProbesFailed(_) | Metric::ProbesTimedOut(_) => Unit::PROBES,
            Metric::FailedShare => Unit::Percent,
            Metric::Count(_) => Unit::STREAMS,
        }
    }

    /// The probe that it is about.
    pub(super) fn probe(&self) -> Option<&Probe> {
        match self {
            Metric::Latency(probe, _) | Metric::ProbesFailed(probe) | Metric::ProbesTimedOut(probe) => Some(probe),
            _ => None,
        }
    }

    /// Its value; `None` if nothing was measured, and for a quantile that falls among failed probes, which
    /// have no latency.
    pub(super) fn of(&self, target: &ArmResult) -> Option<f64> {
        let streams = &target.streams;
        match self {
            Metric::Latency(probe, quantile) => {
                let stats = probe.of(target)?;
                (quantile.rank(stats.sent) <= stats.timed()).then(|| stats.latency_ms.at(*quantile))
            }
            Metric::ProbesFailed(probe) => Some(probe.of(target)?.failed as f64),
            Metric::ProbesTimedOut(probe) => Some(probe.of(target)?.timed_out as f64),
            // Without a single token there is no distribution, and zero would look excellent.
            Metric::FirstToken(quantile) => (streams.chunks > 0).then(|| streams.time_to_first_token_ms.at(*quantile)),
            Metric::InterToken(quantile) => (streams.chunks > 0).then(|| streams.inter_token_ms.at(*quantile)),
            Metric::FailedShare => {
                let ended = streams.requested - streams.disconnected + streams.stalled;
                (streams.requested > 0).then(|| 100.0 * streams.lost() as f64 / ended.max(1) as f64)
            }
            Metric::Count(count) => Some(count.of(target) as f64),
        }
    }

    /// Whether a measurement was attempted.
    pub(super) fn was_tried(&self, target: &ArmResult) -> bool {
        match self {
            Metric::Latency(probe, _) => probe.of(target).is_some(),
            _ => self.of(target).is_some(),
        }
    }

    /// Whether the value is only a lower bound: a quantile that falls among probes that timed out counts as
    /// their time-out.
    pub(super) fn is_lower_bound(&self, target: &ArmResult) -> bool {
        let Metric::Latency(probe, quantile) = self else { return false };
        probe.of(target).is_some_and(|stats| quantile.rank(stats.sent) > stats.ok)
    }
}

impl Count {
    fn of(self, target: &ArmResult) -> u64 {
        let streams = &target.streams;
        match self {
            Count::Requested => streams.requested,
            Count::Completed => streams.completed,
            Count::Failed => streams.failed,
            Count::Truncated => streams.truncated,
            Count::Stalled => streams.stalled,
            Count::Lost => streams.lost(),
            Count::WithoutToken => streams.without_token,
            Count::PeakActive => streams.peak_active,
        }
    }
}
