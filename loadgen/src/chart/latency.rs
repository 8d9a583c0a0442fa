//! The latency of each server over time: its line, its marks, its collapse.

use super::axis::Axis;
use super::elements::{Anchor, Elements, Point, shortened, width};
use super::series::{Sample, Series};

/// Marks of one server that are closer than this are one.
const MARKS_APART: f64 = 13.0;
/// Size of a label, and the height that it takes with the line below it.
const SIZE: f64 = 18.0;
const LABEL: f64 = 50.0;
/// Characters of a name.
const NAME_MAX: usize = 30;

/// The lines, then the marks above all of them. The first server is painted last: where lines cover each other, the
/// gaps in its dashes show the others.
pub(super) fn paint(series: &[Series], axes: (&Axis, &Axis), onto: &mut Elements) {
    for one in series.iter().rev() {
        onto.path(&format!("arm {}", one.class), &runs(&one.samples, axes));
    }
    for one in series.iter().rev() {
        let class = format!("mark {}", one.class);
        let limit = |sample: &Sample| Some((axes.0.at(sample.middle_ms()), axes.1.at(sample.latency_ms?)));
        let timed_out = one.samples.iter().filter(|sample| sample.timed_out).filter_map(limit);
        apart(timed_out).into_iter().for_each(|at| onto.cross(&class, at));
        // A failure has no latency worth showing: a refusal is fast.
        let top = axes.1.pixels().1 + 10.0;
        let failed = one.samples.iter().filter(|sample| sample.failed);
        let failed = failed.map(|sample| (axes.0.at(sample.middle_ms()), top));
        apart(failed).into_iter().for_each(|at| onto.triangle(&class, at));
    }
}

/// The points of the line, with a gap where nothing was answered or the answer was a failure.
fn runs(samples: &[Sample], (time, latency): (&Axis, &Axis)) -> Vec<Vec<Point>> {
    let mut runs = vec![Vec::new()];
    for sample in samples {
        match sample.latency_ms.filter(|_| !sample.failed || sample.timed_out) {
            Some(ms) => {
                runs.last_mut().into_iter().for_each(|run| run.push((time.at(sample.middle_ms()), latency.at(ms))))
            }
            None => runs.push(Vec::new()),
        }
    }
    runs
}

/// Those of `points` that are far enough from the one before.
fn apart(points: impl Iterator<Item = Point>) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::new();
    for point in points {
        let is_far = |last: &Point| (point.0 - last.0).abs() >= MARKS_APART || (point.1 - last.1).abs() >= MARKS_APART;
        if kept.last().is_none_or(is_far) {
            kept.push(point);
        }
    }
    kept
}

/// A line from top to bottom where each server collapsed.
pub(super) fn paint_collapses(series: &[Series], time: &Axis, (top, bottom): (f64, f64), onto: &mut Elements) {
    for (one, x, _) in collapses(series, time) {
        onto.line(&format!("moment {}", one.class), (x, top), (x, bottom));
    }
}

/// What is written at those lines.
pub(super) fn paint_labels(series: &[Series], time: &Axis, (top, bottom): (f64, f64), onto: &mut Elements) {
    // Between a server that hangs, at the top, and those that answer, at the bottom.
    let first = top + 0.3 * (bottom - top);
    for (place, (one, x, label)) in collapses(series, time).into_iter().enumerate() {
        let y = (first + place as f64 * LABEL).min(bottom - LABEL);
        let below = format!("collapse of {}", shortened(&one.name, NAME_MAX));
        let room = width(&below, SIZE).max(width(label, SIZE)) + 20.0;
        let is_right = x + room <= time.pixels().1;
        let (anchor, x) = if is_right { (Anchor::Start, x + 9.0) } else { (Anchor::End, x - 9.0) };
        let class = &one.class;
        onto.text(&format!("strong halo {class}"), (x, y), anchor, label);
        onto.text(&format!("small halo {class}"), (x, y + 21.0), anchor, &below);
    }
}

/// The servers that collapsed, where, and with how many streams.
fn collapses<'a>(series: &'a [Series], time: &Axis) -> Vec<(&'a Series<'a>, f64, &'a str)> {
    let moment = |one: &'a Series| {
        let collapse = one.collapse.as_ref()?;
        // As far to the right as its point on the line.
        let sample = one.samples.iter().find(|sample| collapse.t_ms < sample.to_ms)?;
        Some((one, time.at(sample.middle_ms()), &*collapse.label))
    };
    series.iter().filter_map(moment).collect()
}
