//! Requests answered over time.

use super::axis::Axis;
use super::elements::{Anchor, Elements};
use super::layout::{BELOW, EDGE, LINE, PLOT, WIDTH, paint_base, paint_column, paint_row};
use super::legend::{self, Entry};
use super::phases::{Names, bands};
use super::scheme::Scheme;
use super::series::{ROW_MS, Series, series};
use super::style::own_style;
use crate::numbers::number;
use crate::result::{RunResult, TimelineRow, has_rates_in_several_phases};

const HEIGHT: f64 = 150.0;

/// How many requests each server answered per second in the course of a run. `None` where requests did not come at a
/// rate in several phases, so that the numbers of two phases cannot be compared.
#[must_use]
pub fn goodput_svg(result: &RunResult, scheme: Scheme) -> Option<String> {
    if !has_rates_in_several_phases(result) {
        return None;
    }
    let lines: Vec<_> = series(result, "").into_iter().map(|one| (points(&one.arm.timeline), one)).collect();
    let all = || lines.iter().flat_map(|(points, _)| points);
    let end = all().map(|(at_ms, _)| at_ms + ROW_MS / 2.0).reduce(f64::max)?;
    let most = all().map(|(_, answered)| *answered).reduce(f64::max)?;
    if most <= 0.0 {
        return None;
    }
    let time = Axis::linear((0.0, end), PLOT);
    let bands = bands(result);
    let names = Names::new(&bands, &time);

    let mut onto = Elements::default();
    let line = |one: &Series| Entry::Line { class: one.class.clone(), name: one.name.clone() };
    let entries: Vec<_> = lines.iter().map(|(_, one)| line(one)).collect();
    let title = EDGE + legend::paint(&entries, (EDGE, PLOT.1), EDGE, &mut onto) + LINE;
    let pieces = [("strong", "Requests answered per second"), ("small muted", ", in each 250 ms")];
    onto.texts((EDGE, title), Anchor::Start, &pieces);

    let top = title + names.height() + 12.0;
    let bottom = top + HEIGHT;
    let answered = Axis::linear((0.0, most * 1.15), (bottom, top));
    names.paint(&bands, &time, (top, bottom), &mut onto);
    answered.round_values(4).into_iter().for_each(|value| paint_row(answered.at(value), &number(value), &mut onto));
    for value in time.round_values(6).into_iter().filter(|seconds| *seconds <= end) {
        paint_column((time.at(value), bottom), Anchor::Middle, &number(value / 1000.0), &mut onto);
    }
    paint_base(bottom, "seconds since the start", &mut onto);
    for (points, one) in lines.iter().rev() {
        let run = points.iter().map(|(at_ms, per_second)| (time.at(*at_ms), answered.at(*per_second))).collect();
        onto.path(&format!("arm {}", one.class), &[run]);
    }
    let in_words = |(points, one): &(Vec<(f64, f64)>, Series)| {
        let most = points.iter().map(|(_, answered)| *answered).fold(0.0, f64::max);
        format!(" {}: up to {}.", one.name, number(most))
    };
    let words: String = lines.iter().map(in_words).collect();
    let label = format!("Requests answered per second over time.{words}");
    Some(onto.svg((WIDTH, bottom + BELOW), &label, own_style(scheme).as_deref()))
}

/// The middle of each row, and how many requests were answered per second in it.
fn points(rows: &[TimelineRow]) -> Vec<(f64, f64)> {
    let usable = rows.iter().filter(|row| row.t_ms.is_finite() && row.t_ms >= 0.0);
    usable.map(|row| (row.t_ms + ROW_MS / 2.0, row.completed as f64 * 1000.0 / ROW_MS)).collect()
}
