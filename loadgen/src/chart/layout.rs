//! What the charts have in common: their width, their margins, the latency axis.
//!
//! A chart is 640 units wide and its text 16 to 18 high: on a phone, at 358 pixels, it still has nine or ten.

use super::axis::{Axis, round_down, round_up};
use super::elements::{Anchor, Elements, shortened};
use crate::numbers::millis;

/// Width of a chart.
pub(super) const WIDTH: f64 = 640.0;
/// Where titles and legends begin.
pub(super) const EDGE: f64 = 8.0;
/// Left and right end of what is plotted.
pub(super) const PLOT: (f64, f64) = (68.0, 624.0);
/// Height of a line of text.
pub(super) const LINE: f64 = 24.0;
/// Height from the bottom of a plot to the bottom of the picture: labels and title of the horizontal axis.
pub(super) const BELOW: f64 = 54.0;

/// A latency axis with room for `latencies`. It always has 1 ms and 1 s, so that what is small looks small.
pub(super) fn latency_axis(latencies: impl Iterator<Item = f64> + Clone, (top, bottom): (f64, f64)) -> Axis {
    let least = latencies.clone().filter(|latency| *latency > 0.0).fold(1.0, f64::min);
    let most = latencies.fold(1000.0, f64::max);
    // A run lasts an hour at most; anything else is no latency.
    Axis::log((round_down(least.max(0.01)), round_up(most.min(3.6e6) * 1.15)), (bottom, top))
}

/// The grid of a latency axis with its labels.
pub(super) fn paint_latency_axis(axis: &Axis, onto: &mut Elements) {
    for value in axis.decades() {
        let label = if value < 1.0 { format!("{value} ms") } else { millis(value) };
        paint_row(axis.at(value), &label, onto);
    }
}

/// A horizontal line of the grid with its label.
pub(super) fn paint_row(y: f64, label: &str, onto: &mut Elements) {
    onto.line("grid", (PLOT.0, y), (PLOT.1, y));
    onto.text("small muted", (PLOT.0 - 8.0, y + 6.0), Anchor::End, label);
}

/// A label below a plot that ends at `bottom`, with a tick.
pub(super) fn paint_column((x, bottom): (f64, f64), anchor: Anchor, label: &str, onto: &mut Elements) {
    onto.line("axis", (x, bottom), (x, bottom + 5.0));
    onto.text("small muted", (x, bottom + 22.0), anchor, label);
}

/// The horizontal axis of a plot that ends at `bottom`, and its title.
pub(super) fn paint_base(bottom: f64, title: &str, onto: &mut Elements) {
    onto.line("axis", (PLOT.0, bottom), (PLOT.1, bottom));
    onto.text("small", (PLOT.1, bottom + 45.0), Anchor::End, title);
}

/// What a probe measures, for a title.
pub(super) fn what_is_measured(probe: &str) -> String {
    match probe {
        "health_sync" => "Latency of the health check".to_owned(),
        "health_async" => "Latency of the async check".to_owned(),
        other => format!("Latency of {}", shortened(other, 15)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_latency_axis_has_a_millisecond_and_a_second() {
        let labels = |latencies: &[f64]| {
            let axis = latency_axis(latencies.iter().copied(), (0.0, 100.0));
            let mut painted = Elements::default();
            paint_latency_axis(&axis, &mut painted);
            let svg = painted.svg((1.0, 1.0), "", None);
            let texts = svg.split("</tspan>").filter_map(|text| text.rsplit('>').next()).map(str::to_owned);
            texts.filter(|text| text.ends_with('s')).collect::<Vec<_>>()
        };
        assert_eq!(labels(&[0.4, 0.5]), ["1 ms", "10 ms", "100 ms", "1 s"]);
        assert_eq!(labels(&[0.1, 10_000.0]), ["0.1 ms", "1 ms", "10 ms", "100 ms", "1 s", "10 s"]);
        assert_eq!(labels(&[]), labels(&[0.4]));
        // What no run can have measured.
        assert!(labels(&[0.0, -1.0, f64::MAX]).len() <= 9);
    }
}
