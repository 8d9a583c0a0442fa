use std::str::FromStr;

use crate::result::{ArmResult, ClaimKind, ClaimResult, Quantile, RunResult};

/// One objective: `METRIC OP VALUE`, such as `health.p99<100ms` or `failed_share<=1%`.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    text: String,
    metric: Metric,
    sign: &'static str,
    /// In the metric's unit.
    threshold: f64,
}

/// An objective that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is no objective: {why}; expected METRIC OP VALUE such as 'health.p99<100ms', 'ttft.p50<=1s', 'failed_share<1%' or 'completed>=60'; metrics: PROBE.Q, ttft.Q, inter_token.Q with Q one of p50, p90, p99, max (health stands for health_sync), PROBE.timed_out, failed_share, and the counts requested, completed, failed, truncated, lost, without_token, peak_active"
)]
pub struct ObjectiveError {
    text: String,
    why: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Metric {
    Probe(String, Quantile),
    ProbeTimedOut(String),
    FirstToken(Quantile),
    InterToken(Quantile),
    FailedShare,
    Count(Count),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    Requested,
    Completed,
    Failed,
    Truncated,
    Lost,
    WithoutToken,
    PeakActive,
}

/// Longest first, so that `<=` is not read as `<`.
const SIGNS: [&str; 5] = ["<=", ">=", "==", "<", ">"];

impl FromStr for Objective {
    type Err = ObjectiveError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |why: &str| ObjectiveError { text: text.to_owned(), why: why.to_owned() };
        let found = SIGNS.iter().filter_map(|sign| Some((text.find(sign)?, *sign)));
        let Some((at, sign)) = found.min_by_key(|(at, sign)| (*at, usize::MAX - sign.len())) else {
            return Err(error("it has no comparison"));
        };
        let metric = Metric::parse(text[..at].trim()).ok_or_else(|| error("the metric is not known"))?;
        let value = text[at + sign.len()..].trim();
        let threshold = metric.parse_value(value).ok_or_else(|| error(metric.expected_value()))?;
        Ok(Objective { text: text.to_owned(), metric, sign, threshold })
    }
}

impl Objective {
    /// The objective as a claim on `result.target`.
    #[must_use]
    pub fn judge(&self, result: &RunResult) -> ClaimResult {
        let measured = result.target.as_ref().and_then(|target| self.metric.of(target));
        let holds = |measured: f64| match self.sign {
            "<=" => measured <= self.threshold,
            ">=" => measured >= self.threshold,
            "<" => measured < self.threshold,
            ">" => measured > self.threshold,
            _ => (measured - self.threshold).abs() < f64::EPSILON,
        };
        ClaimResult {
            name: self.text.clone(),
            kind: ClaimKind::Effect,
            arm: "target".into(),
            measured,
            comparison: self.sign.to_owned(),
            threshold: self.threshold,
            unit: self.metric.unit().to_owned(),
            held: measured.is_some_and(holds),
        }
    }

    /// The latency that is judged, where it is one.
    #[must_use]
    pub fn latency_ms(&self, result: &RunResult) -> Option<f64> {
        (self.metric.unit() == "ms").then(|| self.metric.of(result.target.as_ref()?))?
    }
}

impl Metric {
    fn parse(text: &str) -> Option<Self> {
        let count = |count| Some(Metric::Count(count));
        match text {
            "failed_share" => return Some(Metric::FailedShare),
            "requested" => return count(Count::Requested),
            "completed" => return count(Count::Completed),
            "failed" => return count(Count::Failed),
            "truncated" => return count(Count::Truncated),
            "lost" => return count(Count::Lost),
            "without_token" => return count(Count::WithoutToken),
            "peak_active" => return count(Count::PeakActive),
            _ => {}
        }
        let (of, what) = text.rsplit_once('.')?;
        let probe = if of == "health" { "health_sync" } else { of };
        let quantile = match what {
            "p50" => Quantile::P50,
            "p90" => Quantile::P90,
            "p99" => Quantile::P99,
            "max" => Quantile::Max,
            "timed_out" => return Some(Metric::ProbeTimedOut(probe.to_owned())),
            _ => return None,
        };
        Some(match of {
            "ttft" => Metric::FirstToken(quantile),
            "inter_token" => Metric::InterToken(quantile),
            _ => Metric::Probe(probe.to_owned(), quantile),
        })
    }

    fn parse_value(&self, text: &str) -> Option<f64> {
        let number = match self.unit() {
            "ms" => humantime::parse_duration(text).ok()?.as_secs_f64() * 1000.0,
            "%" => text.strip_suffix('%')?.trim().parse().ok()?,
            _ => text.parse().ok()?,
        };
        (number.is_finite() && number >= 0.0).then_some(number)
    }

    fn expected_value(&self) -> &'static str {
        match self.unit() {
            "ms" => "its value is a duration such as 100ms",
            "%" => "its value is a share such as 1%",
            _ => "its value is a number",
        }
    }

    fn unit(&self) -> &'static str {
        match self {
            Metric::Probe(..) | Metric::FirstToken(_) | Metric::InterToken(_) => "ms",
            Metric::ProbeTimedOut(_) => "probes",
            Metric::FailedShare => "%",
            Metric::Count(_) => "streams",
        }
    }

    fn of(&self, target: &ArmResult) -> Option<f64> {
        let streams = &target.streams;
        match self {
            Metric::Probe(name, quantile) => {
                let stats = target.probes.get(name).filter(|stats| stats.sent > 0)?;
                Some(stats.latency_ms.at(*quantile))
            }
            Metric::ProbeTimedOut(name) => Some(target.probes.get(name)?.timed_out as f64),
            // Without a single token there is no distribution, and zero would be praise.
            Metric::FirstToken(quantile) => (streams.chunks > 0).then(|| streams.time_to_first_token_ms.at(*quantile)),
            Metric::InterToken(quantile) => (streams.chunks > 0).then(|| streams.inter_token_ms.at(*quantile)),
            Metric::FailedShare => {
                let ended = streams.requested - streams.left;
                (streams.requested > 0).then(|| 100.0 * streams.lost() as f64 / ended.max(1) as f64)
            }
            Metric::Count(count) => Some(count.of(target) as f64),
        }
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
            Count::Lost => streams.lost(),
            Count::WithoutToken => streams.without_token,
            Count::PeakActive => streams.peak_active,
        }
    }
}
