//! The streams that each server had open over time.

use super::axis::Axis;
use super::elements::{Anchor, Elements, shortened};
use super::layout::{EDGE, paint_row};
use super::series::{Sample, Series};
use crate::numbers::{count, number};

/// An arm with more than this many times the streams of another leaves the chart at the top: in its scale the others
/// would be a line at the bottom.
const TIMES_OTHERS: u64 = 3;
/// Characters of a name.
const NAME_MAX: usize = 30;
/// Height of a line of small text.
const BELOW_EACH_OTHER: f64 = 18.0;

/// An axis for the streams that all servers had.
pub(super) fn axis(series: &[Series], (top, bottom): (f64, f64)) -> Axis {
    let peaks = || series.iter().map(peak).filter(|peak| *peak > 0);
    let (least, most) = (peaks().min().unwrap_or(1), peaks().max().unwrap_or(1));
    // Where one leaves the chart, its number is written above the others.
    let end = if most > least.saturating_mul(TIMES_OTHERS) { least as f64 * 1.5 } else { most as f64 * 1.25 };
    Axis::linear((0.0, end), (bottom, top))
}

fn peak(one: &Series) -> u64 {
    one.samples.iter().map(|sample| sample.streams).max().unwrap_or(0)
}

/// Its grid, labels and title.
pub(super) fn paint_axis(axis: &Axis, onto: &mut Elements) {
    let whole = axis.round_values(5).into_iter().filter(|value| value.fract() == 0.0);
    whole.for_each(|value| paint_row(axis.at(value), &number(value), onto));
    onto.text("strong", (EDGE, axis.pixels().1 - 10.0), Anchor::Start, "Streams open");
}

/// The lines, where each server collapsed on its own, and how far it goes beyond the chart.
pub(super) fn paint(series: &[Series], (time, open): (&Axis, &Axis), onto: &mut Elements) {
    let top = open.pixels().1;
    let is_beyond = |sample: &Sample| open.at(sample.streams as f64) <= top;
    let at = |sample: &Sample| (time.at(sample.to_ms), open.at(sample.streams as f64));
    for one in series.iter().rev() {
        // What is beyond is not drawn along the edge: it would look like a number of streams.
        let runs = one.samples.chunk_by(|one, next| !(is_beyond(one) && is_beyond(next)));
        let runs: Vec<_> = runs.map(|run| run.iter().map(at).collect()).collect();
        onto.path(&format!("arm {}", one.class), &runs);
    }
    let mut base = top + 17.0;
    for one in series {
        let collapsed = |sample: &&Sample| one.collapse.as_ref().is_some_and(|there| there.t_ms < sample.to_ms);
        if let Some(sample) = one.samples.iter().find(collapsed) {
            onto.dot(&one.class, (time.at(sample.middle_ms()), open.at(sample.streams as f64)));
        }
        if let Some(first) = one.samples.iter().find(|sample| is_beyond(sample)) {
            let text = format!("{}: up to {} ↑", shortened(&one.name, NAME_MAX), count(peak(one)));
            let x = time.at(first.to_ms);
            let is_left = x > f64::midpoint(time.pixels().0, time.pixels().1);
            let (anchor, x) = if is_left { (Anchor::End, x - 8.0) } else { (Anchor::Start, x + 8.0) };
            onto.text(&format!("small halo {}", one.class), (x, base), anchor, &text);
            // Several that leave the chart at the same time stand below each other.
            base += BELOW_EACH_OTHER;
        }
    }
}
