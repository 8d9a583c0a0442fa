//! The chart of an arm: the latency of each probe over time. The first probe is a line and the others are dots, so
//! that they can be told apart without colour; a cross is a time-out, and a dashed line a wait that goes on.

use std::collections::BTreeMap;

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use super::look::{Look, Tone};
use super::scale::{Window, row};
use super::words::{SLOW_MS, fitting};
use crate::live::ArmFrame;
use crate::measure::SAMPLE_INTERVAL;
use crate::result::TimelineRow;

/// Length of a row of the timeline.
pub(super) const ROW_MS: f64 = SAMPLE_INTERVAL.as_millis() as f64;
/// The dots of the probes after the first.
pub(super) const DOTS: [&str; 4] = ["•", "+", "o", "*"];
/// The first probe where another is at the same height.
const BOTH: &str = "━";

/// A probe of the chart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Series<'a> {
    /// Its place among the probes, from 0.
    pub(super) nth: usize,
    pub(super) name: &'a str,
}

/// The largest latency in a column of the chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) ms: f64,
    pub(super) kind: Kind,
}

/// What is known of a latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The answer has come.
    Answered,
    /// There is no answer yet; the latency grows.
    Waiting,
    /// There was none within the limit.
    TimedOut,
    /// The answer was no success, or there can be none.
    Failed,
}

impl Point {
    pub(super) fn tone(self) -> Tone {
        match self.kind {
            Kind::Answered if self.ms < SLOW_MS => Tone::Good,
            Kind::Answered => Tone::Slow,
            Kind::Waiting | Kind::TimedOut | Kind::Failed => Tone::Bad,
        }
    }

    /// Its sign, if it has one of its own.
    pub(super) fn sign(self) -> Option<&'static str> {
        match self.kind {
            Kind::TimedOut => Some("×"),
            Kind::Failed => Some("!"),
            Kind::Answered | Kind::Waiting => None,
        }
    }
}

/// Draws the chart of `arm`.
pub(super) fn draw(
    arm: &ArmFrame,
    series: &[Series<'_>],
    window: Window,
    buffer: &mut Buffer,
    area: Rect,
    look: &Look,
) {
    let all: Vec<_> = series.iter().map(|series| points(arm, series.name, window, area.width)).collect();
    if all.iter().flatten().all(Option::is_none) {
        let text = fitting(&["no probe has ended yet", "no probes yet"], usize::from(area.width));
        buffer.set_stringn(area.x, area.y + area.height / 2, text, usize::from(area.width), look.style(Tone::Faint));
    }
    for (series, points) in series.iter().zip(&all).skip(1) {
        dots(DOTS[(series.nth - 1) % DOTS.len()], points, buffer, area, look);
    }
    if let Some(points) = all.first() {
        line(points, &all[1..], buffer, area, look);
    }
    collapse(arm, window, buffer, area, look);
}

/// The largest latency of a probe in each of `width` columns.
pub(super) fn points(arm: &ArmFrame, probe: &str, window: Window, width: u16) -> Vec<Option<Point>> {
    let mut points = vec![None; usize::from(width)];
    for row in &arm.rows {
        let Some(point) = point(row, probe) else { continue };
        for column in window.columns(row.t_ms, row.t_ms + ROW_MS, width) {
            let largest: &mut Option<Point> = &mut points[usize::from(column)];
            if largest.is_none_or(|largest| largest.ms <= point.ms) {
                *largest = Some(point);
            }
        }
    }
    points
}

/// The latency of a probe in a row of the timeline.
fn point(row: &TimelineRow, probe: &str) -> Option<Point> {
    let ms = row.probe_max_ms.get(probe).copied().filter(|ms| ms.is_finite())?;
    let some = |count: &BTreeMap<String, u64>| count.get(probe).is_some_and(|count| *count > 0);
    let kind = match () {
        () if some(&row.probe_timed_out) => Kind::TimedOut,
        () if some(&row.probe_failed) => Kind::Failed,
        () if some(&row.probe_waiting) => Kind::Waiting,
        () => Kind::Answered,
    };
    Some(Point { ms, kind })
}

fn dots(dot: &str, points: &[Option<Point>], buffer: &mut Buffer, area: Rect, look: &Look) {
    for (x, point) in (area.left()..).zip(points) {
        let Some(point) = point else { continue };
        let symbol = point.sign().unwrap_or(dot);
        buffer.set_stringn(x, area.y + row(point.ms, area.height), symbol, 1, look.style(point.tone()));
    }
}

/// Draws a line through `points`; it is thick where one of `others` is at the same height.
fn line(points: &[Option<Point>], others: &[Vec<Option<Point>>], buffer: &mut Buffer, area: Rect, look: &Look) {
    let height = |point: &Option<Point>| point.map(|point| row(point.ms, area.height));
    let mut before = None;
    for (at, point) in points.iter().enumerate() {
        let (Some(point), Some(y)) = (point, height(point)) else {
            before = None;
            continue;
        };
        let (x, style) = (area.left() + at as u16, look.style(point.tone()));
        let mut put = |y: u16, symbol: &str| {
            buffer.set_stringn(x, area.y + y, symbol, 1, style);
        };
        let from = before.replace(y).unwrap_or(y);
        for between in from.min(y) + 1..from.max(y) {
            put(between, "│");
        }
        if from != y {
            put(from, if y < from { "╯" } else { "╮" });
        }
        let is_level = others.iter().any(|other| height(&other[at]) == Some(y));
        let symbol = match point.kind {
            _ if y < from => "╭",
            _ if y > from => "╰",
            Kind::Waiting => "╌",
            _ if is_level => BOTH,
            _ => "─",
        };
        put(y, point.sign().unwrap_or(symbol));
    }
}

/// Marks when health collapsed, with the number of streams.
fn collapse(arm: &ArmFrame, window: Window, buffer: &mut Buffer, area: Rect, look: &Look) {
    let Some(collapse) = &arm.collapse else { return };
    let columns = window.columns(collapse.t_ms, collapse.t_ms + 1.0, area.width);
    let (column, is_earlier) = (columns.start, columns.is_empty());
    let x = area.left() + column;
    for y in (area.top()..area.bottom()).filter(|_| !is_earlier) {
        if [" ", "│"].contains(&buffer[(x, y)].symbol()) {
            buffer.set_stringn(x, y, "┊", 1, look.style(Tone::Strong));
        }
    }
    let text = if is_earlier { format!("◂ {}", collapse.label) } else { collapse.label.clone() };
    let width = text.chars().count() as u16;
    // After the collapse the middle is free: one probe is far above it, the others far below.
    let y = area.y + area.height / 2;
    let at = if is_earlier {
        x
    } else if column + 2 + width <= area.width {
        x + 2
    } else {
        (x.saturating_sub(width + 1)).max(area.left())
    };
    if width <= area.width {
        buffer.set_stringn(at, y, text, usize::from(width), look.style(Tone::Strong));
    }
}

/// Explains the signs.
pub(super) fn legend<'a>(probes: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut signs: Vec<String> = probes
        .enumerate()
        .map(|(nth, name)| match nth {
            0 => format!("── {name}"),
            nth => format!("{} {name}", DOTS[(nth - 1) % DOTS.len()]),
        })
        .collect();
    if signs.len() > 1 {
        signs.push(format!("{BOTH}{BOTH} equal"));
    }
    signs.extend(["× timed out", "! failed", "╌╌ waiting", "┊ collapse"].map(String::from));
    signs
}
