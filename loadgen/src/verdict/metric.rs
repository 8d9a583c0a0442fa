//! The metrics of objectives.

use crate::numbers::in_millis;
use crate::result::{ArmResult, ProbeStats, Quantile, RequestTime, StreamStats, Unit};

/// The metric of an objective.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Metric {
    Latency(Probe, Quantile),
    ProbesFailed(Probe),
    ProbesTimedOut(Probe),
    FirstToken(Quantile),
    InterToken(Quantile),
    TimePerToken(Quantile),
    EndToEnd(Quantile),
    /// The share of requests that met the objectives for each request.
    Goodput,
    /// Their number per second.
    GoodputRate,
    /// Of one request.
    Request(RequestTime),
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
    Dropped,
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
            "dropped" => return count(Count::Dropped),
            "goodput" => return Some(Metric::Goodput),
            "goodput_rate" => return Some(Metric::GoodputRate),
            "ttft" => return Some(Metric::Request(RequestTime::FirstToken)),
            "tpot" => return Some(Metric::Request(RequestTime::TimePerToken)),
            "e2e" => return Some(Metric::Request(RequestTime::EndToEnd)),
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
            "tpot" => Metric::TimePerToken(quantile),
            "e2e" => Metric::EndToEnd(quantile),
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
            Metric::Latency(..)
            | Metric::FirstToken(_)
            | Metric::InterToken(_)
            | Metric::TimePerToken(_)
            | Metric::EndToEnd(_)
            | Metric::Request(_) => Unit::Milliseconds,
            Metric::ProbesFailed(_) | Metric::ProbesTimedOut(_) => Unit::PROBES,
            Metric::FailedShare | Metric::Goodput => Unit::Percent,
            Metric::GoodputRate => Unit::count("per second"),
            Metric::Count(_) => Unit::STREAMS,
        }
    }

    /// The time of one request that it is, if it is one.
    pub(super) fn of_request(&self) -> Option<RequestTime> {
        if let Metric::Request(time) = self { Some(*time) } else { None }
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
            // The others have no such times: a quantile that falls among them has no value.
            Metric::TimePerToken(quantile) => {
                is_completed(streams, *quantile).then(|| streams.time_per_token_ms.at(*quantile))
            }
            Metric::EndToEnd(quantile) => is_completed(streams, *quantile).then(|| streams.latency_ms.at(*quantile)),
            Metric::Goodput => streams.goodput.as_ref()?.percent(),
            Metric::GoodputRate => Some(streams.goodput.as_ref()?.per_second),
            Metric::Request(_) => None,
            Metric::FailedShare => {
                (streams.requested > 0).then(|| 100.0 * streams.lost() as f64 / ended(streams).max(1) as f64)
            }
            Metric::Count(count) => Some(count.of(target) as f64),
        }
    }

    /// Whether a measurement was attempted.
    pub(super) fn was_tried(&self, target: &ArmResult) -> bool {
        match self {
            Metric::Latency(probe, _) => probe.of(target).is_some(),
            Metric::EndToEnd(_) | Metric::TimePerToken(_) => ended(&target.streams) > 0,
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

/// Streams that ended by themselves or had stalled: all but those that the generator closed in good order.
fn ended(streams: &StreamStats) -> u64 {
    // A file that was merged may have any counts.
    streams.requested.saturating_sub(streams.disconnected).saturating_add(streams.stalled)
}

/// Whether this quantile of the streams that ended is one that was completed.
fn is_completed(streams: &StreamStats, quantile: Quantile) -> bool {
    quantile.rank(ended(streams)) <= streams.completed
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
            Count::Dropped => streams.dropped,
        }
    }
}
