//! The pictures of a run, drawn by `chart`.

use super::writer::Html;
use crate::chart::{Scheme, distribution_svg, probes, timeline_svg};
use crate::result::RunResult;

/// Draws latency and streams over time, for each probe: that which shows most comes first.
pub(super) fn over_time(html: &mut Html, result: &RunResult) {
    pictures(html, result, timeline_svg);
}

/// Draws the distribution of latency of each probe.
pub(super) fn distributions(html: &mut Html, result: &RunResult) {
    pictures(html, result, distribution_svg);
}

fn pictures(html: &mut Html, result: &RunResult, draw: fn(&RunResult, &str, Scheme) -> Option<String>) {
    let drawn: Vec<_> = probes(result).into_iter().filter_map(|probe| draw(result, probe, Scheme::Page)).collect();
    if !drawn.is_empty() {
        html.element("div", &[("class", "pictures")], |html| {
            for svg in &drawn {
                html.element("figure", &[], |html| html.drawing(svg));
            }
        });
    }
}
