//! The distribution of latency: which share of the probes took no longer than how long.

use super::axis::Axis;
use super::elements::{Anchor, Elements, Point};
use super::layout::{
    BELOW, EDGE, LINE, PLOT, WIDTH, latency_axis, paint_base, paint_column, paint_latency_axis, what_is_measured,
};
use super::legend::{self, Entry};
use super::scheme::Scheme;
use super::series::{Series, series};
use super::style::own_style;
use crate::numbers::{millis, number};
use crate::result::{Percentile, ProbeStats, RunResult};

const HEIGHT: f64 = 230.0;
/// Points of a distribution are a tenth apart: what is further apart is a step.
const STEP: f64 = 1.25;
/// What gets a label, besides 100 %.
const LABELS: [f64; 6] = [50.0, 75.0, 90.0, 99.0, 99.9, 99.99];

/// The latency of `probe` while the servers were loaded, from the median to the slowest, each percentile where its
/// distance to 100 % is: 90, 99 and 99.9 % are as far from each other. `None` if there was no such probe.
///
/// A result file without the distribution shows the four percentiles that every result has, as dots.
#[must_use]
pub fn distribution_svg(result: &RunResult, probe: &str, scheme: Scheme) -> Option<String> {
    let series = series(result, probe);
    let curves: Vec<_> = series.iter().filter_map(|one| Curve::of(one, probe)).collect();
    let sent = curves.iter().map(|curve| curve.stats.sent).max()?;
    // As far as the slowest of all has a place, and then 100 %.
    let width = ((sent as f64).log10() + 0.3).max(2.5);
    let percent = Axis::linear((rarity(50.0), width), PLOT);

    let mut onto = Elements::default();
    let title = EDGE + legend::paint(&entries(&curves), (EDGE, PLOT.1), EDGE, &mut onto) + LINE;
    let measured = what_is_measured(probe);
    let is_sketch = curves.iter().any(|curve| curve.is_sketch);
    let note = if is_sketch { ", log scale; only the dots are known" } else { " while loaded, log scale" };
    onto.texts((EDGE, title), Anchor::Start, &[("strong", &*measured), ("small muted", note)]);
    let (top, bottom) = (title + 14.0, title + 14.0 + HEIGHT);
    let latencies = curves.iter().flat_map(|curve| &curve.points).map(|point| point.ms);
    let latency = latency_axis(latencies, (top, bottom));
    paint_latency_axis(&latency, &mut onto);
    for value in LABELS.into_iter().filter(|value| rarity(*value) < width - 0.35) {
        paint_column(
            (percent.at(rarity(value)), bottom),
            Anchor::Middle,
            &format!("{} %", number_of(value)),
            &mut onto,
        );
    }
    paint_column((PLOT.1, bottom), Anchor::End, "100 %", &mut onto);
    paint_base(bottom, "share of the checks that took no longer", &mut onto);
    for curve in curves.iter().rev() {
        curve.paint((&percent, &latency), &mut onto);
    }
    Some(onto.svg((WIDTH, bottom + BELOW), &in_words(&measured, &curves), own_style(scheme).as_deref()))
}

/// How many nines a percentile has: 1 for 90, 2 for 99, and no end for 100.
fn rarity(percent: f64) -> f64 {
    -(1.0 - (percent / 100.0).clamp(0.0, 1.0)).log10()
}

fn number_of(percent: f64) -> String {
    if percent > 99.0 { percent.to_string() } else { number(percent) }
}

/// The distribution of one server.
struct Curve<'a> {
    of: &'a Series<'a>,
    stats: &'a ProbeStats,
    points: Vec<Percentile>,
    /// Whether these points are all that is known, so that nothing is known between them.
    is_sketch: bool,
}

impl<'a> Curve<'a> {
    fn of(series: &'a Series, probe: &str) -> Option<Self> {
        let stats = series.arm.probes.get(probe).filter(|stats| stats.timed() > 0)?;
        let is_usable = |point: &Percentile| point.ms.is_finite() && (50.0..=100.0).contains(&point.percent);
        let points: Vec<_> = stats.distribution.iter().copied().filter(is_usable).collect();
        if !points.is_empty() {
            return Some(Curve { of: series, stats, points, is_sketch: false });
        }
        let known = &stats.latency_ms;
        let known = [(50.0, known.p50), (90.0, known.p90), (99.0, known.p99), (100.0, known.max)];
        let points = known.map(|(percent, ms)| Percentile { percent, ms }).into_iter().filter(is_usable).collect();
        Some(Curve { of: series, stats, points, is_sketch: true })
    }

    fn paint(&self, (percent, latency): (&Axis, &Axis), onto: &mut Elements) {
        let class = &self.of.class;
        let at = |share: f64, ms: f64| (percent.at(rarity(share)), latency.at(ms));
        onto.path(&format!("arm {class}"), &[self.line(at)]);
        let limit = self.points.last().filter(|_| self.stats.timed_out > 0).map_or(f64::INFINITY, |last| last.ms);
        for point in self.points.iter().filter(|point| self.is_sketch && point.ms < limit * 0.999) {
            onto.dot(class, at(point.percent, point.ms));
        }
        if limit.is_finite() {
            // From the first one that timed out to the last.
            let share = |probes: u64| (100.0 * probes as f64 / self.stats.sent.max(1) as f64).max(50.0);
            for share in [share(self.stats.ok), share(self.stats.timed())] {
                onto.cross(&format!("mark {class}"), at(share, limit));
            }
        }
        if let Some(last) = self.points.last().filter(|_| self.stats.failed > 0) {
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

/// The legend: the servers, and the marks that there are.
fn entries(curves: &[Curve]) -> Vec<Entry> {
    let line = |curve: &Curve| Entry::Line { class: curve.of.class.clone(), name: curve.of.name.clone() };
    let limit = curves.iter().filter(|curve| curve.stats.timed_out > 0).map(|curve| curve.stats.latency_ms.max);
    let timed_out = limit.reduce(f64::max).map(|limit| Entry::Cross(format!("timed out after {}", millis(limit))));
    let failed = curves.iter().any(|curve| curve.stats.failed > 0);
    let failed = failed.then(|| Entry::Triangle("the others failed".to_owned()));
    curves.iter().map(line).chain(timed_out).chain(failed).collect()
}

/// The chart for those who do not see it.
fn in_words(measured: &str, curves: &[Curve]) -> String {
    let server = |curve: &Curve| {
        let (name, stats, known) = (&curve.of.name, curve.stats, &curve.stats.latency_ms);
        let [p50, p90, p99, max] = [known.p50, known.p90, known.p99, known.max].map(millis);
        let ended = match (stats.timed_out, stats.failed) {
            (0, 0) => String::new(),
            (timed_out, failed) => format!(", {timed_out} timed out, {failed} failed"),
        };
        format!(" {name}: median {p50}, 90 % within {p90}, 99 % within {p99}, slowest {max}, of {}{ended}.", stats.sent)
    };
    format!("{measured} while loaded, as a distribution.{}", curves.iter().map(server).collect::<String>())
}
