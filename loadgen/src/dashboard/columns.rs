//! Arms side by side: the chart of each, and its figures below it. The labels at the left are for all arms.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use super::bar;
use super::figure::Figure;
use super::look::{Look, Tone};
use super::plot::{self, Series};
use super::scale::{LABELS, Window, row};
use super::words::{Said, cut, fitting};
use crate::live::{ArmFrame, Frame};
use crate::result::Side;

/// Columns of the labels, with a space after them.
const LABEL: u16 = 9;
/// Columns of an arm that show what matters: `× timed out`, `39 to 47 streams`.
const ARM_MIN: u16 = 16;
/// Rows of arms side by side that show what matters: the name, a chart, the time, streams and two probes.
const BAND_MIN: u16 = 12;
/// Rows of a chart: with fewer, the figures get fewer; and never less.
const CHART_GOOD: u16 = 8;
const CHART_MIN: u16 = 4;
/// The shortest bar that says something.
const BAR_MIN: usize = 5;

/// A place for all arms side by side, in one row or several.
pub(super) struct Columns {
    area: Rect,
    /// Arms in a row.
    side_by_side: usize,
    /// Rows of arms.
    bands: usize,
}

impl Columns {
    /// A place for this many arms; `None` if it is too small.
    pub(super) fn within(area: Rect, arms: usize) -> Option<Self> {
        let fit = usize::from(area.width.saturating_sub(LABEL) / (ARM_MIN + 1));
        let bands = arms.div_ceil(fit.max(1)).max(1);
        let there = fit > 0 && usize::from(area.height) / bands >= usize::from(BAND_MIN);
        there.then(|| Columns { area, side_by_side: arms.div_ceil(bands), bands })
    }

    /// Draws all arms of `frame`.
    pub(super) fn draw(&self, frame: &Frame, figures: &[Figure], window: Window, buffer: &mut Buffer, look: &Look) {
        let height = self.area.height / self.bands as u16;
        for (at, arms) in frame.arms.chunks(self.side_by_side).enumerate() {
            let area = Rect { y: self.area.y + at as u16 * height, height, ..self.area };
            let band = Band::new(area, self.side_by_side, figures, window, look);
            band.labels(buffer);
            for (place, arm) in arms.iter().enumerate() {
                band.arm(place as u16, arm, buffer);
            }
        }
    }
}

/// A row of arms.
struct Band<'a> {
    area: Rect,
    /// Columns of each arm.
    width: u16,
    /// Rows of the charts.
    chart: u16,
    figures: Vec<Figure>,
    window: Window,
    look: &'a Look,
}

impl<'a> Band<'a> {
    fn new(area: Rect, arms: usize, figures: &[Figure], window: Window, look: &'a Look) -> Self {
        // Besides the figures: the name, and the time below the chart.
        let room = area.height - 2;
        let figures = Figure::most_important(figures, usize::from(room - CHART_GOOD.min(room)));
        let chart = room.saturating_sub(figures.len() as u16).max(CHART_MIN);
        let width = (area.width - LABEL) / arms as u16 - 1;
        Band { area, width, chart, figures, window, look }
    }

    /// The row of the time below the charts.
    fn time_row(&self) -> u16 {
        self.area.y + 1 + self.chart
    }

    /// The labels at the left: latencies beside the chart, then the figures.
    fn labels(&self, buffer: &mut Buffer) {
        let mut label = |y: u16, text: &str| {
            let text = cut(text, usize::from(LABEL) - 1);
            let x = self.area.x + LABEL - 1 - text.chars().count() as u16;
            buffer.set_stringn(x, y, text, usize::from(LABEL), self.look.style(Tone::Faint));
        };
        label(self.area.y, "latency");
        for (ms, text) in self.labels_that_fit() {
            label(self.area.y + 1 + row(ms, self.chart), text);
        }
        label(self.time_row(), "time");
        for (y, figure) in self.figure_rows() {
            label(y, figure.label());
        }
    }

    /// The labels of latencies that have a row for themselves.
    fn labels_that_fit(&self) -> impl Iterator<Item = (f64, &'static str)> {
        let mut last = None;
        let chart = self.chart;
        LABELS.into_iter().rev().filter(move |(ms, _)| last.replace(row(*ms, chart)) != Some(row(*ms, chart)))
    }

    /// The figures for which there is a row.
    fn figure_rows(&self) -> impl Iterator<Item = (u16, &Figure)> {
        (self.time_row() + 1..self.area.bottom()).zip(&self.figures)
    }

    /// Draws the arm at `place`, from 0 at the left.
    fn arm(&self, place: u16, arm: &ArmFrame, buffer: &mut Buffer) {
        let x = self.area.x + LABEL + place * (self.width + 1);
        self.line(x, buffer);
        let at = |y: u16, height: u16| Rect { x: x + 1, y, width: self.width, height };
        let title = fitting(&title(arm), usize::from(self.width)).to_owned();
        let title = if title == "…" { cut(&arm.name, usize::from(self.width)) } else { title };
        buffer.set_stringn(x + 1, self.area.y, title, usize::from(self.width), self.look.style(Tone::Strong));
        let series: Vec<_> = self.probes().enumerate().map(|(nth, name)| Series { nth, name }).collect();
        plot::draw(arm, &series, self.window, buffer, at(self.area.y + 1, self.chart), self.look);
        self.time(buffer, at(self.time_row(), 1));
        for (y, figure) in self.figure_rows() {
            self.figure(&figure.said(arm), buffer, at(y, 1));
        }
    }

    fn probes(&self) -> impl Iterator<Item = &str> {
        self.figures.iter().filter_map(|figure| match figure {
            Figure::Probe(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The line at the left of an arm, with a tick at each label.
    fn line(&self, x: u16, buffer: &mut Buffer) {
        let style = self.look.style(Tone::Faint);
        for y in self.area.y..(self.time_row() + 1 + self.figures.len() as u16).min(self.area.bottom()) {
            buffer.set_stringn(x, y, "│", 1, style);
        }
        for (ms, _) in self.labels_that_fit() {
            buffer.set_stringn(x, self.area.y + 1 + row(ms, self.chart), "┼", 1, style);
        }
    }

    /// The first and last second of the chart.
    fn time(&self, buffer: &mut Buffer, area: Rect) {
        let seconds = |ms: f64| format!("{} s", (ms / 1000.0).round() as i64);
        let (from, to, style) =
            (seconds(self.window.from_ms), seconds(self.window.to_ms), self.look.style(Tone::Faint));
        buffer.set_stringn(area.x, area.y, from, usize::from(area.width), style);
        buffer.set_stringn(area.right() - to.len() as u16, area.y, &to, to.len(), style);
    }

    /// A figure, with a bar after it where it is a share.
    fn figure(&self, said: &Said, buffer: &mut Buffer, area: Rect) {
        let (width, style) = (usize::from(area.width), self.look.style(said.tone));
        let with_bar = said.share.map(|_| said.within(width.saturating_sub(BAR_MIN + 1))).filter(|text| *text != "…");
        let (x, _) = buffer.set_stringn(area.x, area.y, with_bar.unwrap_or(said.within(width)), width, style);
        if let (Some(share), Some(_)) = (said.share, with_bar) {
            let rest = Rect { x: x + 1, width: area.right() - x - 1, ..area };
            bar::draw(share, ["█", "░"], buffer, rest, style);
        }
    }
}

/// The name of an arm, with the mistake of its server.
fn title(arm: &ArmFrame) -> Vec<String> {
    let name = &arm.name;
    let more = match (&arm.mistake, arm.side) {
        (Some(mistake), _) if mistake == "none" => "no mistake",
        (Some(mistake), _) => mistake.as_str(),
        (None, Some(Side::Fixed)) if name != "fixed" => "fixed-server",
        (None, _) => return vec![name.clone()],
    };
    vec![format!("{name}: {more}"), format!("{name} {more}"), name.clone()]
}

/// Explains the signs of the charts, as far as there is room.
pub(super) fn legend(figures: &[Figure], buffer: &mut Buffer, area: Rect, look: &Look) {
    let probes = figures.iter().filter_map(|figure| match figure {
        Figure::Probe(_) => Some(figure.label()),
        _ => None,
    });
    let signs = plot::legend(probes);
    let mut x = area.x + 1;
    for text in signs {
        let width = text.chars().count() as u16;
        if x + width >= area.right() {
            return;
        }
        buffer.set_stringn(x, area.y, text, usize::from(width), look.style(Tone::Faint));
        x += width + 2;
    }
}
