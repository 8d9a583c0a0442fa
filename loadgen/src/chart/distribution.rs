//! The distribution of latency: which share of the probes, or of the requests, took no longer than how long.

mod curve;

use super::axis::Axis;
use super::elements::{Anchor, Elements};
use super::layout::{
    BELOW, EDGE, LINE, PLOT, WIDTH, latency_axis, paint_base, paint_column, paint_latency_axis, what_is_measured,
};
use super::legend::{self, Entry};
use super::scheme::Scheme;
use super::series::{Series, series};
use super::style::own_style;
use crate::numbers::{millis, number};
use crate::result::{ArmResult, Quantiles, RunResult, StreamStats};
use curve::{Curve, rarity};

const HEIGHT: f64 = 230.0;
/// Width of a label of a percentile, with the space beside it.
const LABEL: f64 = 36.0;
/// What gets a label, besides 100 %.
const LABELS: [f64; 6] = [50.0, 75.0, 90.0, 99.0, 99.9, 99.99];

/// The latency of `probe` while the servers were loaded, from the median to the slowest, each percentile where its
/// distance to 100 % is: 90, 99 and 99.9 % are as far from each other. `None` if there was no such probe.
///
/// A result file without the distribution shows the four percentiles that every result has, as dots.
#[must_use]
pub fn distribution_svg(result: &RunResult, probe: &str, scheme: Scheme) -> Option<String> {
    let series = series(result, probe);
    let curves: Vec<_> = series.iter().filter_map(|one| Curve::of_probe(one, probe)).collect();
    let is_sketch = curves.iter().any(|curve| curve.is_sketch);
    let note = if is_sketch { ", log scale; only the dots are known" } else { " while loaded, log scale" };
    let title = what_is_measured(probe);
    let words = format!("{title} while loaded");
    draw(&curves, &Words { title: &title, note, of: "checks", words: &words }, scheme)
}

/// What users waited for, where the result has whole distributions (`run`): the first token, the next one, the whole
/// answer.
#[must_use]
pub fn waiting_svgs(result: &RunResult, scheme: Scheme) -> Vec<String> {
    let series = series(result, "");
    let one = |waiting: &Waiting| {
        let curves: Vec<_> = series.iter().filter_map(|one| waiting.curve(one)).collect();
        let Waiting { title, of, .. } = *waiting;
        draw(&curves, &Words { title, note: ", log scale", of, words: title }, scheme)
    };
    WAITING.iter().filter_map(one).collect()
}

/// Something that users wait for.
struct Waiting {
    title: &'static str,
    /// The field of its percentiles, and of its histogram.
    field: &'static str,
    /// What it is a time of.
    of: &'static str,
    /// The requests that have it, and its percentiles.
    times: fn(&ArmResult) -> Option<(&StreamStats, Quantiles)>,
}

impl Waiting {
    fn curve<'a>(&self, of: &'a Series) -> Option<Curve<'a>> {
        let (requests, known) = (self.times)(of.arm)?;
        Curve::of_requests(of, requests, self.field, known)
    }
}

const WAITING: [Waiting; 4] = [
    Waiting {
        title: "Time to the first token",
        field: "time_to_first_token_ms",
        of: "streams with a token",
        times: |arm| Some((&arm.streams, arm.streams.time_to_first_token_ms)),
    },
    Waiting {
        title: "Time between two tokens",
        field: "inter_token_ms",
        of: "times between two tokens",
        times: |arm| Some((&arm.streams, arm.streams.inter_token_ms)),
    },
    Waiting {
        title: "Time of a completed stream",
        field: "latency_ms",
        of: "completed streams",
        times: |arm| Some((&arm.streams, arm.streams.latency_ms)),
    },
    Waiting {
        title: "Time of an answered call",
        field: "latency_ms",
        of: "answered calls",
        times: |arm| arm.calls.as_ref().map(|calls| (calls, calls.latency_ms)),
    },
];

/// What a chart says.
struct Words<'a> {
    title: &'a str,
    /// After the title.
    note: &'a str,
    /// What each of its curves is a share of: `checks`.
    of: &'a str,
    /// The title, for those who do not see the chart.
    words: &'a str,
}

fn draw(curves: &[Curve], words: &Words, scheme: Scheme) -> Option<String> {
    let all = curves.iter().map(|curve| curve.sent).max()?;
    // As far as the slowest of all has a place, and then 100 %.
    let width = ((all as f64).log10() + 0.3).max(2.5);
    let percent = Axis::linear((rarity(50.0), width), PLOT);

    let mut onto = Elements::default();
    let title = EDGE + legend::paint(&entries(curves), (EDGE, PLOT.1), EDGE, &mut onto) + LINE;
    onto.texts((EDGE, title), Anchor::Start, &[("strong", words.title), ("small muted", words.note)]);
    let (top, bottom) = (title + 14.0, title + 14.0 + HEIGHT);
    let latencies = curves.iter().flat_map(|curve| &curve.points).map(|point| point.ms);
    let latency = latency_axis(latencies, (top, bottom));
    paint_latency_axis(&latency, &mut onto);
    let mut free_from = PLOT.0;
    for value in LABELS.into_iter().filter(|value| rarity(*value) < width - 0.35) {
        let at = percent.at(rarity(value));
        // With many values, the first ones are close together.
        if at >= free_from {
            paint_column((at, bottom), Anchor::Middle, &format!("{} %", number_of(value)), &mut onto);
            free_from = at + LABEL;
        }
    }
    paint_column((PLOT.1, bottom), Anchor::End, "100 %", &mut onto);
    paint_base(bottom, &format!("share of the {} that took no longer", words.of), &mut onto);
    for curve in curves.iter().rev() {
        curve.paint((&percent, &latency), &mut onto);
    }
    Some(onto.svg((WIDTH, bottom + BELOW), &in_words(words.words, curves), own_style(scheme).as_deref()))
}

fn number_of(percent: f64) -> String {
    if percent > 99.0 { percent.to_string() } else { number(percent) }
}

/// The legend: the servers, and the marks that there are.
fn entries(curves: &[Curve]) -> Vec<Entry> {
    let line = |curve: &Curve| Entry::Line { class: curve.of.class.clone(), name: curve.of.name.clone() };
    let limit = curves.iter().filter(|curve| curve.timed_out > 0).map(|curve| curve.known.max);
    let timed_out = limit.reduce(f64::max).map(|limit| Entry::Cross(format!("timed out after {}", millis(limit))));
    let failed = curves.iter().any(|curve| curve.failed > 0);
    let failed = failed.then(|| Entry::Triangle("the others failed".to_owned()));
    curves.iter().map(line).chain(timed_out).chain(failed).collect()
}

/// The chart for those who do not see it.
fn in_words(measured: &str, curves: &[Curve]) -> String {
    let server = |curve: &Curve| {
        let (name, known) = (&curve.of.name, &curve.known);
        let [p50, p90, p99, max] = [known.p50, known.p90, known.p99, known.max].map(millis);
        let ended = match (curve.timed_out, curve.failed) {
            (0, 0) => String::new(),
            (timed_out, failed) => format!(", {timed_out} timed out, {failed} failed"),
        };
        format!(" {name}: median {p50}, 90 % within {p90}, 99 % within {p99}, slowest {max}, of {}{ended}.", curve.sent)
    };
    format!("{measured}, as a distribution.{}", curves.iter().map(server).collect::<String>())
}
