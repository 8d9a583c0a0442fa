//! A line of a distribution: one server.

use super::super::axis::Axis;
use super::super::elements::{Elements, Point};
use super::super::series::Series;
use crate::measure::Latencies;
use crate::result::{Percentile, ProbeStats, Quantiles, StreamStats};

/// Points of a distribution are a tenth apart: what is further apart is a step.
const STEP: f64 = 1.25;

/// How many nines a percentile has: 1 for 90, 2 for 99, and no end for 100.
pub(super) fn rarity(percent: f64) -> f64 {
    -(1.0 - (percent / 100.0).clamp(0.0, 1.0)).log10()
}

fn is_usable(point: &Percentile) -> bool {
    point.ms.is_finite() && (50.0..=100.0).contains(&point.percent)
}

/// The distribution of one server.
pub(super) struct Curve<'a> {
    pub(super) of: &'a Series<'a>,
    /// Probes, or requests with this time.
    pub(super) sent: u64,
    ok: u64,
    pub(super) timed_out: u64,
    pub(super) failed: u64,
    /// The percentiles that every result has.
    pub(super) known: Quantiles,
    pub(super) points: Vec<Percentile>,
    /// Whether these points are all that is known, so that nothing is known between them.
    pub(super) is_sketch: bool,
}

impl<'a> Curve<'a> {
    /// Of a probe, while the server was loaded; `None` if it was not sent, or all of them failed.
    pub(super) fn of_probe(series: &'a Series, probe: &str) -> Option<Self> {
        let stats = series.arm.probes.get(probe).filter(|stats| stats.timed() > 0)?;
        let known = stats.latency_ms;
        let points: Vec<_> = stats.distribution.iter().copied().filter(is_usable).collect();
        let is_sketch = points.is_empty();
        let four = [(50.0, known.p50), (90.0, known.p90), (99.0, known.p99), (100.0, known.max)];
        let four = four.map(|(percent, ms)| Percentile { percent, ms }).into_iter().filter(is_usable);
        let points = if is_sketch { four.collect() } else { points };
        let ProbeStats { sent, ok, timed_out, failed, .. } = *stats;
        Some(Curve { of: series, sent, ok, timed_out, failed, known, points, is_sketch })
    }

    /// Of the requests whose time is in `field`, with these percentiles; `None` if the result has no whole distribution.
    pub(super) fn of_requests(
        series: &'a Series,
        requests: &StreamStats,
        field: &str,
        known: Quantiles,
    ) -> Option<Self> {
        let all = Latencies::decoded(Some(requests.histograms.get(field)?), &known, None).ok()?;
        let (sent, points) = (all.count(), all.slower_half_among(all.count()));
        Some(Curve { of: series, sent, ok: sent, timed_out: 0, failed: 0, known, points, is_sketch: false })
    }

    pub(super) fn paint(&self, (percent, latency): (&Axis, &Axis), onto: &mut Elements) {
        let class = &self.of.class;
        let at = |share: f64, ms: f64| (percent.at(rarity(share)), latency.at(ms));
        onto.path(&format!("arm {class}"), &[self.line(at)]);
        let limit = self.points.last().filter(|_| self.timed_out > 0).map_or(f64::INFINITY, |last| last.ms);
        for point in self.points.iter().filter(|point| self.is_sketch && point.ms < limit * 0.999) {
            onto.dot(class, at(point.percent, point.ms));
        }
        if limit.is_finite() {
            // From the first one that timed out to the last.
            let share = |probes: u64| (100.0 * probes as f64 / self.sent.max(1) as f64).max(50.0);
            for share in [share(self.ok), share(self.ok.saturating_add(self.timed_out))] {
                onto.cross(&format!("mark {class}"), at(share, limit));
            }
        }
        if let Some(last) = self.points.last().filter(|_| self.failed > 0) {
            onto.triangle(&format!("mark {class}"), at(last.percent, last.ms));
        }
    }

    /// Its points, with a step where the next one is much slower: nothing was in between. Where only a few are known,
    /// that cannot be said.
    fn line(&self, at: impl Fn(f64, f64) -> Point) -> Vec<Point> {
        let mut before: Option<&Percentile> = None;
        let mut line = Vec::new();
        for point in &self.points {
            let step = before.filter(|before| !self.is_sketch && point.ms > before.ms * STEP);
            line.extend(step.map(|before| at(before.percent, point.ms)));
            line.push(at(point.percent, point.ms));
            before = Some(point);
        }
        line
    }
}
