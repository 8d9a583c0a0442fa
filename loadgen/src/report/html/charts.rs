//! The pictures of a run, drawn by `chart`.

use super::writer::Html;
use crate::chart::{Scheme, distribution_svg, goodput_svg, probes, timeline_svg, waiting_svgs};
use crate::result::RunResult;

/// Draws goodput over time, if it can be compared, then latency and streams over time, for each probe: that which shows
/// most comes first.
pub(super) fn over_time(html: &mut Html, result: &RunResult) {
    let goodput = goodput_svg(result, Scheme::Page);
    pictures(html, goodput.into_iter().chain(of_probes(result, timeline_svg)));
}

/// Draws the distribution of latency of each probe.
pub(super) fn distributions(html: &mut Html, result: &RunResult) {
    pictures(html, of_probes(result, distribution_svg));
}

/// Draws the distributions of what users waited for.
pub(super) fn waiting(html: &mut Html, result: &RunResult) {
    pictures(html, waiting_svgs(result, Scheme::Page).into_iter());
}

fn of_probes(result: &RunResult, draw: fn(&RunResult, &str, Scheme) -> Option<String>) -> impl Iterator<Item = String> {
    probes(result).into_iter().filter_map(move |probe| draw(result, probe, Scheme::Page))
}

fn pictures(html: &mut Html, drawn: impl Iterator<Item = String>) {
    let drawn: Vec<_> = drawn.collect();
    if !drawn.is_empty() {
        html.element("div", &[("class", "pictures")], |html| {
            for svg in &drawn {
                html.element("figure", &[], |html| html.drawing(svg));
            }
        });
    }
}
