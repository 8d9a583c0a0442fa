//! The staircase of a diagnosis: the latency of each probe at each number of streams. The health check is a line and the
//! other probes are dots, so that they can be told apart without colour. Where several are at the same height they take
//! turns, and so does the cross of a time-out.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::Style;

use super::look::{Look, Tone};
use super::plot::{DOTS, Kind, Point};
use super::scale::{LABELS, row};
use super::words::cut;
use crate::numbers::{count, ordinal};
use crate::result::{Diagnosis, DiagnosisLevel, ProbeLevel, probe_names, probe_title};

/// Of the first probe, the health check.
const LINE: &str = "─";
/// Columns before the plot.
const MARGIN: u16 = 10;
/// Columns of a number of streams: wide enough for its label, and not so wide that a few of them fill a screen.
const STEP_MAX: u16 = 9;
/// Rows above and below the plot: the legend; the streams asked for, and those that flowed.
const AROUND: u16 = 3;
/// Rows of the smallest plot, in which each label of the axis has a row.
const PLOT_MIN: u16 = LABELS.len() as u16;
/// Characters of a probe's name.
const NAME_MAX: usize = 20;

/// What is drawn.
#[derive(Debug, Clone, Default)]
pub struct Staircase {
    /// By number of streams.
    pub levels: Vec<DiagnosisLevel>,
    /// Streams at the collapse, if there was one.
    pub collapse: Option<u64>,
}

impl From<&Diagnosis> for Staircase {
    fn from(diagnosis: &Diagnosis) -> Self {
        let levels = diagnosis.by_streams().into_iter().cloned().collect();
        Staircase { levels, collapse: diagnosis.collapse() }
    }
}

/// Draws the staircase, if `area` has room for it.
pub fn draw_staircase(staircase: &Staircase, buffer: &mut Buffer, area: Rect, look: &Look) {
    if area.height < AROUND + PLOT_MIN || area.width < MARGIN + STEP_MAX {
        return;
    }
    let room = area.width - MARGIN;
    let levels = &staircase.levels[..staircase.levels.len().min(usize::from(room))];
    let step = (room / (levels.len() as u16).max(1)).clamp(1, STEP_MAX);
    let plot = Rect { x: area.x + MARGIN, y: area.y + 1, width: room, height: area.height - AROUND };
    let series = probe_names(levels);
    let legend = legend(levels, &series, usize::from(area.width) - 2);
    buffer.set_stringn(area.x + 1, area.y, legend, usize::from(area.width) - 1, look.style(Tone::Plain));
    axis(buffer, plot, look);
    for (place, level) in levels.iter().enumerate() {
        let x = plot.x + place as u16 * step;
        let before = place.checked_sub(1).map(|before| &levels[before]);
        draw_level(level, before, &series, buffer, (plot, Rect { x, width: step, ..plot }), look);
    }
    mark_collapse(staircase, levels, step, buffer, plot, look);
    below(levels, step, buffer, Rect { y: plot.bottom(), height: 2, ..area }, look);
}

fn symbol(nth: usize) -> &'static str {
    nth.checked_sub(1).map_or(LINE, |dot| DOTS[dot % DOTS.len()])
}

/// What a probe shows at a number of streams; `None` if none was sent.
fn point(probe: &ProbeLevel) -> Option<Point> {
    if probe.sent == 0 {
        return None;
    }
    // One that was never answered is no fast one.
    let ms = probe.p99_ms().unwrap_or(f64::INFINITY);
    let kind = match () {
        () if probe.timed_out > 0 => Kind::TimedOut,
        () if probe.failed > 0 => Kind::Failed,
        () => Kind::Answered,
    };
    Some(Point { ms, kind })
}

/// Draws a number of streams: for each height, the signs of those that are there, in turn.
fn draw_level(
    level: &DiagnosisLevel,
    before: Option<&DiagnosisLevel>,
    series: &[&str],
    buffer: &mut Buffer,
    (plot, area): (Rect, Rect),
    look: &Look,
) {
    let of = |level: &DiagnosisLevel, name: &str| point(level.probes.get(name)?);
    let points: Vec<_> = series.iter().map(|name| of(level, name)).collect();
    for y in 0..area.height {
        let there = || points.iter().enumerate().filter_map(|(nth, point)| Some((nth, (*point)?)));
        let here: Vec<_> = there().filter(|(_, point)| row(point.ms, area.height) == y).collect();
        let mut signs: Vec<&str> = here.iter().map(|(nth, _)| symbol(*nth)).collect();
        let mut more: Vec<&str> = here.iter().filter_map(|(_, point)| point.sign()).collect();
        more.dedup();
        signs.append(&mut more);
        let Some(worst) = here.iter().max_by_key(|(_, point)| rank(point.tone())) else { continue };
        for x in area.left()..area.right() {
            let sign = signs[usize::from(x - plot.x) % signs.len()];
            buffer.set_stringn(x, area.y + y, sign, 1, look.style(worst.1.tone()));
        }
    }
    let height = |point: Option<Point>| point.map(|point| row(point.ms, area.height));
    let first = points.first().copied().flatten();
    let from = before.and_then(|before| height(of(before, series.first()?)));
    if let (Some(from), Some(to), Some(first)) = (from, height(first), first) {
        connect(from, to, buffer, area, look.style(first.tone()));
    }
}

fn rank(tone: Tone) -> u8 {
    match tone {
        Tone::Bad => 2,
        Tone::Slow => 1,
        _ => 0,
    }
}

/// Joins the line of a number of streams to that of the number before.
fn connect(from: u16, to: u16, buffer: &mut Buffer, area: Rect, style: Style) {
    if from == to {
        return;
    }
    let mut put = |y: u16, symbol: &str| {
        buffer.set_stringn(area.x, area.y + y, symbol, 1, style);
    };
    (from.min(to) + 1..from.max(to)).for_each(|y| put(y, "│"));
    put(from, if to < from { "╯" } else { "╮" });
    put(to, if to < from { "╭" } else { "╰" });
}

fn axis(buffer: &mut Buffer, plot: Rect, look: &Look) {
    let style = look.style(Tone::Faint);
    for y in plot.top()..plot.bottom() {
        buffer.set_stringn(plot.x - 1, y, "│", 1, style);
    }
    for (ms, label) in LABELS {
        let y = plot.y + row(ms, plot.height);
        let width = label.chars().count() as u16;
        buffer.set_stringn(plot.x - 2 - width, y, label, usize::from(width), style);
        buffer.set_stringn(plot.x - 1, y, "┤", 1, style);
    }
}

/// A line at the number of streams at the collapse, with that number where there is room.
fn mark_collapse(
    staircase: &Staircase,
    levels: &[DiagnosisLevel],
    step: u16,
    buffer: &mut Buffer,
    plot: Rect,
    look: &Look,
) {
    let Some(streams) = staircase.collapse.filter(|_| !levels.is_empty()) else { return };
    // Between two numbers that were held, or where that very one begins.
    let place = levels.iter().position(|level| level.streams >= streams).unwrap_or(levels.len());
    let x = (plot.x + place as u16 * step).min(plot.right() - 1);
    let style = look.style(Tone::Strong);
    let is_free = |buffer: &Buffer, x: u16, y: u16| buffer[(x, y)].symbol() == " ";
    for y in plot.top()..plot.bottom() {
        if is_free(buffer, x, y) {
            buffer.set_stringn(x, y, "┊", 1, style);
        }
    }
    let text = format!("{} stream", ordinal(streams));
    let width = text.chars().count() as u16;
    let starts = [x + 2, x.saturating_sub(width + 1)].into_iter();
    let mut starts = starts.filter(|at| *at > plot.x && at + width <= plot.right());
    let middle = plot.top() + plot.height / 2;
    let fits = |at: u16| {
        let rows = (middle..plot.bottom()).chain((plot.top()..middle).rev());
        let mut rows = rows.filter(|y| (at..at + width).all(|x| is_free(buffer, x, *y)));
        Some((at, rows.next()?))
    };
    if let Some((at, y)) = starts.find_map(fits) {
        buffer.set_stringn(at, y, text, usize::from(width), style);
    }
}

/// A row of numbers: its label, and what it shows of each number of streams.
type NumberRow = (&'static str, fn(&DiagnosisLevel) -> u64);

/// The numbers of streams that were asked for, and of those that flowed.
fn below(levels: &[DiagnosisLevel], step: u16, buffer: &mut Buffer, area: Rect, look: &Look) {
    let rows: [NumberRow; 2] = [("streams", |level| level.streams), ("flowing", |level| level.started)];
    for (y, (label, of)) in (area.y..area.bottom()).zip(rows) {
        buffer.set_stringn(area.x + MARGIN - 2 - label.len() as u16, y, label, label.len(), look.style(Tone::Faint));
        // The last number is that of the collapse or the largest: it is never left out.
        let mut free_to = area.right();
        for (place, level) in levels.iter().enumerate().rev() {
            let text = count(of(level));
            let (x, width) = (area.x + MARGIN + place as u16 * step, text.chars().count() as u16);
            if x + width <= free_to {
                let tone = if level.started < level.streams { Tone::Bad } else { Tone::Plain };
                buffer.set_stringn(x, y, text, usize::from(width), look.style(tone));
                free_to = x.saturating_sub(1);
            }
        }
    }
}

/// Explains the signs that there are.
fn legend(levels: &[DiagnosisLevel], series: &[&str], width: usize) -> String {
    let points: Vec<_> = levels.iter().flat_map(|level| level.probes.values()).filter_map(point).collect();
    let mut signs = vec!["p99 of".to_owned()];
    for (nth, name) in series.iter().enumerate() {
        let sign = if nth == 0 { LINE.repeat(2) } else { symbol(nth).to_owned() };
        signs.push(format!("{sign} {}", cut(&probe_title(name), NAME_MAX)));
    }
    for (kind, said) in [(Kind::TimedOut, "× timed out"), (Kind::Failed, "! failed")] {
        if points.iter().any(|point| point.kind == kind) {
            signs.push(said.to_owned());
        }
    }
    let wide = signs.join("  ");
    if wide.chars().count() <= width { wide } else { cut(&signs.join(" "), width) }
}
