//! The staircase of a diagnosis: the latency of each probe at each number of streams that was held.

use super::axis::Axis;
use super::elements::{Anchor, Elements, Point, shortened, width};
use super::layout::{BELOW, EDGE, LINE, PLOT, WIDTH, latency_axis, paint_latency_axis};
use super::legend::{self, Entry};
use super::scheme::Scheme;
use super::style::{lines, own_style};
use crate::numbers::{count, millis, ordinal};
use crate::result::{Diagnosis, DiagnosisLevel, ProbeLevel, probe_names, probe_title};

const HEIGHT: f64 = 230.0;
/// Levels that can be told apart on a chart of this width.
const LEVELS_MAX: usize = 100;
/// Size of the numbers below, and the space between two.
const SIZE: f64 = 16.5;
const APART: f64 = 8.0;
/// Characters of a probe's name.
const NAME_MAX: usize = 20;

/// The p99 of each probe at each number of streams, on a log scale, the numbers in even steps; a cross where one timed
/// out, a triangle where one failed; the collapse; below, the streams that were asked for, and those that flowed. `None`
/// if no number of streams was held.
#[must_use]
pub fn staircase_svg(diagnosis: &Diagnosis, scheme: Scheme) -> Option<String> {
    let mut levels = diagnosis.by_streams();
    levels.truncate(LEVELS_MAX);
    let step = (PLOT.1 - PLOT.0) / (!levels.is_empty()).then_some(levels.len() as f64)?;
    let probes = probe_names(levels.iter().copied());
    let mut onto = Elements::default();
    let title = EDGE + legend::paint(&entries(&probes, &levels), (EDGE, PLOT.1), EDGE, &mut onto) + LINE;
    let pieces = [("strong", "99 % of the probes took at most"), ("small muted", ", log scale")];
    onto.texts((EDGE, title), Anchor::Start, &pieces);
    let (top, bottom) = (title + 14.0, title + 14.0 + HEIGHT);
    let latencies = levels.iter().flat_map(|level| level.probes.values()).filter_map(ProbeLevel::p99_ms);
    let latency = latency_axis(latencies, (top, bottom));
    paint_latency_axis(&latency, &mut onto);
    onto.line("axis", (PLOT.0, bottom), (PLOT.1, bottom));
    paint_numbers(&levels, step, bottom, &mut onto);
    let collapse = collapse_x(diagnosis, &levels, step);
    if let Some(x) = collapse {
        onto.line("moment probe-0", (x, top), (x, bottom));
    }
    // The first is painted below the others, whose dashes let it through.
    for (nth, probe) in probes.iter().enumerate() {
        paint_probe(probe, &class(nth), &levels, (step, &latency, top), &mut onto);
    }
    if let (Some(x), Some(streams)) = (collapse, diagnosis.collapse()) {
        paint_collapse_label((x, f64::midpoint(top, bottom)), &format!("{} stream", ordinal(streams)), &mut onto);
    }
    Some(onto.svg((WIDTH, bottom + BELOW), &in_words(diagnosis, &levels, &probes), own_style(scheme).as_deref()))
}

fn class(nth: usize) -> String {
    format!("probe-{}", nth % lines("probe").max(1))
}

fn shown(probe: &str) -> String {
    shortened(&probe_title(probe), NAME_MAX)
}

fn entries(probes: &[&str], levels: &[&DiagnosisLevel]) -> Vec<Entry> {
    let line = |(nth, probe): (usize, &&str)| Entry::Line { class: class(nth), name: shown(probe) };
    let any = |of: fn(&ProbeLevel) -> u64| levels.iter().flat_map(|level| level.probes.values()).any(|one| of(one) > 0);
    let timed_out = any(|probe| probe.timed_out).then(|| Entry::Cross("some timed out".to_owned()));
    let failed = any(|probe| probe.failed).then(|| Entry::Triangle("some failed".to_owned()));
    probes.iter().enumerate().map(line).chain(timed_out).chain(failed).collect()
}

/// A step for each number of streams, and marks on those at which some had no answer.
fn paint_probe(
    probe: &str,
    class: &str,
    levels: &[&DiagnosisLevel],
    (step, latency, top): (f64, &Axis, f64),
    onto: &mut Elements,
) {
    let mut runs: Vec<Vec<Point>> = vec![Vec::new()];
    let mut marks = Elements::default();
    for (place, level) in levels.iter().enumerate() {
        let (from, to) = (PLOT.0 + place as f64 * step, PLOT.0 + (place + 1) as f64 * step);
        let there = level.probes.get(probe).filter(|there| there.sent > 0);
        let y = there.and_then(ProbeLevel::p99_ms).map(|ms| latency.at(ms));
        match y {
            Some(y) => runs.last_mut().into_iter().for_each(|run| run.extend([(from, y), (to, y)])),
            None => runs.push(Vec::new()),
        }
        let at = (f64::midpoint(from, to), y.unwrap_or(top + 10.0));
        match there {
            Some(ProbeLevel { timed_out: 1.., .. }) => marks.cross(&format!("mark {class}"), at),
            Some(ProbeLevel { failed: 1.., .. }) => marks.triangle(&format!("mark {class}"), at),
            _ => {}
        }
    }
    onto.path(&format!("arm {class}"), &runs);
    onto.append(marks);
}

/// Where the collapse is: at the number of streams, or between the two around it.
fn collapse_x(diagnosis: &Diagnosis, levels: &[&DiagnosisLevel], step: f64) -> Option<f64> {
    let streams = diagnosis.collapse()?;
    let place = levels.iter().position(|level| level.streams >= streams).unwrap_or(levels.len());
    Some(PLOT.0 + place as f64 * step)
}

fn paint_collapse_label((x, y): Point, label: &str, onto: &mut Elements) {
    let is_right = x + width(label, 18.0) + 20.0 <= PLOT.1;
    let (anchor, x) = if is_right { (Anchor::Start, x + 9.0) } else { (Anchor::End, x - 9.0) };
    onto.text("strong halo", (x, y), anchor, label);
    onto.text("small halo", (x, y + 21.0), anchor, "collapse");
}

/// A row of numbers: its label, its distance from the plot, and what it shows of each step.
type NumberRow = (&'static str, f64, fn(&DiagnosisLevel) -> u64);

/// The streams that were asked for at each step, and those that flowed. The largest number is never left out.
fn paint_numbers(levels: &[&DiagnosisLevel], step: f64, bottom: f64, onto: &mut Elements) {
    let rows: [NumberRow; 2] = [("streams", 22.0, |level| level.streams), ("flowing", 45.0, |level| level.started)];
    for (label, below, of) in rows {
        onto.text("small muted", (2.0, bottom + below), Anchor::Start, label);
        let mut free_to = WIDTH;
        for (place, level) in levels.iter().enumerate().rev() {
            let (text, x) = (count(of(level)), PLOT.0 + (place as f64 + 0.5) * step);
            let half = width(&text, SIZE) / 2.0;
            if x + half <= free_to && x - half >= PLOT.0 - APART {
                onto.text("small", (x, bottom + below), Anchor::Middle, &text);
                free_to = x - half - APART;
            }
        }
    }
}

/// The chart for those who do not see it.
fn in_words(diagnosis: &Diagnosis, levels: &[&DiagnosisLevel], probes: &[&str]) -> String {
    let most = count(diagnosis.streams_held());
    let of_probe = |probe: &&str| {
        let slowest = levels.iter().filter_map(|level| level.probes.get(*probe)?.p99_ms()).reduce(f64::max);
        let slowest = slowest.map_or_else(|| "never answered".to_owned(), |ms| format!("up to {}", millis(ms)));
        format!(" {}: {slowest}.", shown(probe))
    };
    let collapse = match diagnosis.collapse() {
        Some(streams) => format!(" Collapse at {} streams.", count(streams)),
        None => " No collapse.".to_owned(),
    };
    let probes: String = probes.iter().map(of_probe).collect();
    format!("Latency of the probes (p99) with up to {most} streams, on a log scale.{collapse}{probes}")
}
