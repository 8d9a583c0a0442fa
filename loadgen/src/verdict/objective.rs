//! Objectives of `loadgen run`: `health.p99<100ms`.

use std::str::FromStr;
use std::time::Duration;

use super::metric::Metric;
use crate::result::{ClaimKind, ClaimResult, RequestObjective, RunResult, Unit};

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
    "'{text}' is not a valid objective: {why}; expected METRIC OP VALUE such as 'health.p99<100ms', 'ttft.p50<=1s', 'failed_share<1%' or 'completed>=60'; metrics: PROBE.Q, ttft.Q and inter_token.Q with Q one of p50, p90, p99, max, the same with tpot.Q and e2e.Q; PROBE.failed, PROBE.timed_out (health means health_sync where no probe is named health); failed_share; and the counts requested, completed, failed, truncated, stalled, lost (failed, truncated or stalled), without_token, peak_active, dropped; for each request ttft, tpot (mean time between its tokens) and e2e, compared by < or <=, and for the run goodput (the share of requests that are completed and meet those) and goodput_rate (their number per second)"
)]
pub struct ObjectiveError {
    text: String,
    why: String,
}

/// Longest first, so that `<=` is not read as `<`.
const SIGNS: [&str; 5] = ["<=", ">=", "==", "<", ">"];

impl std::fmt::Display for Objective {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Objective {
    type Err = ObjectiveError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |why: &str| ObjectiveError { text: text.to_owned(), why: why.to_owned() };
        let found = SIGNS.iter().filter_map(|sign| Some((text.find(sign)?, *sign)));
        let Some((at, sign)) = found.min_by_key(|(at, sign)| (*at, usize::MAX - sign.len())) else {
            return Err(error("no comparison"));
        };
        let metric = Metric::parse(text[..at].trim()).ok_or_else(|| error("unknown metric"))?;
        let value = text[at + sign.len()..].trim();
        let threshold = metric.parse_value(value).ok_or_else(|| error(metric.expected_value()))?;
        if metric.of_request().is_some() && !sign.starts_with('<') {
            return Err(error("what is required of each request is compared by < or <="));
        }
        Ok(Objective { text: text.to_owned(), metric, sign, threshold })
    }
}

impl Objective {
    /// The objective as a claim on `result.target`.
    #[must_use]
    pub fn judge(&self, result: &RunResult) -> ClaimResult {
        let target = result.target.as_ref();
        let measured = target.and_then(|target| self.metric.of(target));
        let holds = |measured: f64| match self.sign {
            "<=" => measured <= self.threshold,
            ">=" => measured >= self.threshold,
            "<" => measured < self.threshold,
            ">" => measured > self.threshold,
            _ => (measured - self.threshold).abs() < f64::EPSILON,
        };
        // A time-out is only a lower bound of the latency.
        let known = !self.sign.starts_with('<') || target.is_some_and(|target| !self.metric.is_lower_bound(target));
        ClaimResult {
            name: self.text.clone(),
            kind: ClaimKind::Effect,
            arm: "target".into(),
            measured,
            comparison: self.sign.to_owned(),
            threshold: self.threshold,
            unit: self.metric.unit(),
            general: false,
            held: known && measured.is_some_and(holds),
        }
    }

    /// What it requires of each request by itself, if it does; `None` for an objective of the whole run.
    #[must_use]
    pub fn of_request(&self) -> Option<RequestObjective> {
        let time = self.metric.of_request()?;
        let limit = Duration::from_secs_f64(self.threshold / 1000.0);
        Some(RequestObjective { text: self.text.clone(), time, limit, includes_limit: self.sign == "<=" })
    }

    /// Whether it is about how many requests meet what is required of each.
    #[must_use]
    pub fn is_goodput(&self) -> bool {
        matches!(self.metric, Metric::Goodput | Metric::GoodputRate)
    }

    /// That every request that ends meets what is required of each.
    #[must_use]
    pub fn all_meet() -> Self {
        Objective { text: "goodput>=100%".to_owned(), metric: Metric::Goodput, sign: ">=", threshold: 100.0 }
    }

    /// The probe that it is about, among those of a run; `None` for other metrics.
    ///
    /// # Errors
    /// The name in the objective, where no probe of the run has it.
    pub fn probe<'a>(&'a self, names: &[&str]) -> Result<Option<&'a str>, &'a str> {
        let Some(probe) = self.metric.probe() else { return Ok(None) };
        let found = probe.candidates().find(|candidate| names.contains(candidate));
        found.map(Some).ok_or_else(|| probe.name())
    }

    /// Whether `result` has measurements that it can be judged by.
    #[must_use]
    pub fn was_tried(&self, result: &RunResult) -> bool {
        result.target.as_ref().is_some_and(|target| self.metric.was_tried(target))
    }

    /// The judged latency, if it is one.
    #[must_use]
    pub fn latency_ms(&self, result: &RunResult) -> Option<f64> {
        (self.metric.unit() == Unit::Milliseconds).then(|| self.metric.of(result.target.as_ref()?))?
    }
}
