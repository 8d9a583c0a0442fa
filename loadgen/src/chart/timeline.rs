//! Latency over time, and below it the streams that were open.

use super::axis::Axis;
use super::elements::{Anchor, Elements};
use super::latency;
use super::layout::{
    BELOW, EDGE, LINE, PLOT, WIDTH, latency_axis, paint_base, paint_column, paint_latency_axis, what_is_measured,
};
use super::legend::{self, Entry};
use super::phases::{Band, Names, bands};
use super::scheme::Scheme;
use super::series::{Sample, Series, series};
use super::streams;
use super::style::own_style;
use crate::numbers::{millis, number};
use crate::result::RunResult;

const LATENCY_HEIGHT: f64 = 230.0;
const STREAMS_HEIGHT: f64 = 96.0;
/// Between the two plots: the title of the lower one.
const BETWEEN: f64 = 42.0;

/// The latency of `probe` and the streams open in the course of a run, all servers in one picture. `None` if the result
/// has no timeline.
///
/// What is shown: the slowest probe of each row of the timeline, at the time when it was due, on a log scale; a cross
/// where one timed out, a triangle where one failed; the phases, shaded while they were measured; the collapse of each
/// server with the number of its stream; below, the streams open, on their own scale.
#[must_use]
pub fn timeline_svg(result: &RunResult, probe: &str, scheme: Scheme) -> Option<String> {
    let series = series(result, probe);
    let end = series.iter().flat_map(|one| &one.samples).map(|sample| sample.to_ms).reduce(f64::max)?;
    let time = Axis::linear((0.0, end), PLOT);
    let bands = bands(result);
    let names = Names::new(&bands, &time);

    let mut onto = Elements::default();
    let below_legend = EDGE + legend::paint(&entries(&series), (EDGE, PLOT.1), EDGE, &mut onto);
    let title = below_legend + LINE;
    let measured = what_is_measured(probe);
    let pieces = [("strong", &*measured), ("small muted", ", slowest of each 250 ms, log scale")];
    onto.texts((EDGE, title), Anchor::Start, &pieces);

    let top = title + names.height() + 12.0;
    let bottom = top + LATENCY_HEIGHT;
    let (streams_top, streams_bottom) = (bottom + BETWEEN, bottom + BETWEEN + STREAMS_HEIGHT);
    names.paint(&bands, &time, (top, streams_bottom), &mut onto);

    let latencies = series.iter().flat_map(|one| &one.samples).filter_map(|sample| sample.latency_ms);
    let latency = latency_axis(latencies, (top, bottom));
    paint_latency_axis(&latency, &mut onto);
    onto.line("axis", (PLOT.0, bottom), (PLOT.1, bottom));
    let open = streams::axis(&series, (streams_top, streams_bottom));
    streams::paint_axis(&open, &mut onto);
    for value in time.round_values(6).into_iter().filter(|seconds| *seconds <= end) {
        paint_column((time.at(value), streams_bottom), Anchor::Middle, &number(value / 1000.0), &mut onto);
    }
    paint_base(streams_bottom, "seconds since the start", &mut onto);

    latency::paint_collapses(&series, &time, (top, streams_bottom), &mut onto);
    streams::paint(&series, (&time, &open), &mut onto);
    latency::paint(&series, (&time, &latency), &mut onto);
    latency::paint_labels(&series, &time, (top, bottom), &mut onto);
    Some(onto.svg((WIDTH, streams_bottom + BELOW), &in_words(&measured, &series, &bands), own_style(scheme).as_deref()))
}

/// The legend: the servers, and the marks that there are.
fn entries(series: &[Series]) -> Vec<Entry> {
    let line = |one: &Series| Entry::Line { class: one.class.clone(), name: one.name.clone() };
    let samples = || series.iter().flat_map(|one| &one.samples);
    let limit = samples().filter(|sample| sample.timed_out).filter_map(|sample| sample.latency_ms).reduce(f64::max);
    let timed_out = limit.map(|limit| Entry::Cross(format!("timed out after {}", millis(limit))));
    let failed = samples().any(|sample| sample.failed).then(|| Entry::Triangle("failed".to_owned()));
    series.iter().map(line).chain(timed_out).chain(failed).collect()
}

/// The chart for those who do not see it.
fn in_words(measured: &str, series: &[Series], bands: &[Band]) -> String {
    let server = |one: &Series| {
        let slowest = one.samples.iter().filter_map(|sample| sample.latency_ms).reduce(f64::max);
        let slowest = slowest.map_or("no latency known".to_owned(), |slowest| format!("slowest {}", millis(slowest)));
        let any = |is: fn(&Sample) -> bool, what| if one.samples.iter().any(is) { what } else { "" };
        let timed_out = any(|sample| sample.timed_out, ", some timed out");
        let failed = any(|sample| sample.failed, ", some failed");
        let collapse = one.collapse.as_ref();
        let collapse = collapse.map(|there| format!(", collapse at {:.1} s: {}", there.t_ms / 1000.0, there.label));
        let streams = one.samples.iter().map(|sample| sample.streams).max().unwrap_or(0);
        let name = &one.name;
        format!(" {name}: {slowest}{timed_out}{failed}{}, up to {streams} streams open.", collapse.unwrap_or_default())
    };
    let phases: Vec<_> = bands.iter().map(|band| band.name.as_str()).collect();
    let phases = if phases.is_empty() { String::new() } else { format!(" Phases: {}.", phases.join(", ")) };
    format!(
        "{measured} over time, on a log scale, and streams open.{}{phases}",
        series.iter().map(server).collect::<String>()
    )
}
