//! One line an arm, for many arms and for small screens.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use super::figure::Figure;
use super::look::{Look, Tone};
use super::scale::Window;
use super::strip;
use super::words::{Said, cut, fitting, short_name};
use crate::live::{ArmFrame, Frame};

/// The most columns of an arm's name.
const NAME_MAX: usize = 18;
/// Columns of a figure and of a probe at least, so that the table does not move with each second.
const CELL_MIN: usize = 6;
const PROBE_MIN: usize = 7;
/// From here on, a figure is worth less than the latency over time.
const RANK_BELOW_STRIP: u8 = 3;
/// The widths of a strip that says something, and that needs no more.
const STRIP: std::ops::RangeInclusive<usize> = 12..=120;

/// A column of the table.
struct Column {
    head: String,
    cells: Vec<Said>,
    /// How soon it is left out; 0 is never.
    rank: u8,
    width: usize,
}

impl Column {
    fn new(head: &str, rank: u8, cells: Vec<Said>, at_least: usize) -> Self {
        let widest = cells.iter().map(|said| said.shortest().chars().count()).max().unwrap_or(0);
        let width = widest.max(head.chars().count()).max(at_least);
        Column { head: head.to_owned(), cells, rank, width }
    }
}

/// Draws the table with the arms of the page that `look` names.
pub(super) fn draw(frame: &Frame, figures: &[Figure], window: Window, buffer: &mut Buffer, area: Rect, look: &Look) {
    // Besides the arms: the heads, and a line below.
    let room = usize::from(area.height.saturating_sub(2)).max(1);
    let pages = frame.arms.len().div_ceil(room);
    let page = look.page % pages.max(1);
    let arms: Vec<&ArmFrame> = frame.arms.iter().skip(page * room).take(room).collect();
    let table = Table::new(&arms, figures, usize::from(area.width) - 2);
    let height = area.height - u16::from(pages > 1);
    table.draw(&arms, window, buffer, Rect { x: area.x + 1, width: area.width - 2, height, ..area }, look);
    if pages > 1 {
        let (first, of) = (page * room + 1, frame.arms.len());
        let text = format!("arms {first} to {} of {of}, page {} of {pages}", first + arms.len() - 1, page + 1);
        let width = usize::from(area.width) - 2;
        buffer.set_stringn(area.x + 1, area.bottom() - 1, cut(&text, width), width, look.style(Tone::Faint));
    }
}

struct Table {
    /// Columns of the names.
    name: usize,
    columns: Vec<Column>,
    /// The probe whose latency over time is shown at the right, if there is room, and the columns for it.
    strip: Option<(String, usize)>,
    /// Whether there is a column for the number of streams at the collapse.
    tells_collapse: bool,
}

impl Table {
    fn new(arms: &[&ArmFrame], figures: &[Figure], width: usize) -> Self {
        let name = arms.iter().map(|arm| arm.name.chars().count()).max().unwrap_or(0).clamp(3, NAME_MAX);
        let of_figure = |figure: &Figure| {
            let at_least = if matches!(figure, Figure::Probe(_)) { PROBE_MIN } else { CELL_MIN };
            Column::new(figure.label(), figure.rank(), arms.iter().map(|arm| figure.said(arm)).collect(), at_least)
        };
        let mut columns: Vec<_> = figures.iter().map(of_figure).collect();
        let tells = arms.iter().any(|arm| arm.collapse.is_some());
        if tells {
            columns.push(Column::new("collapse", 1, arms.iter().map(|arm| collapse(arm)).collect(), CELL_MIN));
        }
        let used = |columns: &[Column]| name + columns.iter().map(|column| 1 + column.width).sum::<usize>();
        while columns.len() > 2 {
            // Of those that are never left out, the last goes where there is no room at all.
            let Some((least, rank)) =
                columns.iter().map(|column| column.rank).enumerate().max_by_key(|(_, rank)| *rank)
            else {
                break;
            };
            let strip = if rank >= RANK_BELOW_STRIP { STRIP.start() + 2 } else { 0 };
            if used(&columns) + strip <= width {
                break;
            }
            columns.remove(least);
        }
        let left = width.saturating_sub(used(&columns) + 2);
        let probe = figures.iter().find_map(|figure| match figure {
            Figure::Probe(name) => Some(name.clone()),
            _ => None,
        });
        let strip = probe.filter(|_| left >= *STRIP.start()).map(|probe| (probe, left.min(*STRIP.end())));
        let tells_collapse = columns.iter().any(|column| column.head == "collapse");
        Table { name, columns, strip, tells_collapse }
    }

    fn draw(&self, arms: &[&ArmFrame], window: Window, buffer: &mut Buffer, area: Rect, look: &Look) {
        let faint = look.style(Tone::Faint);
        let mut x = area.x + self.name as u16;
        buffer.set_stringn(area.x, area.y, "arm", self.name, faint);
        let rows = (area.y + 1..area.bottom()).zip(arms);
        for (y, arm) in rows.clone() {
            buffer.set_stringn(area.x, y, cut(&arm.name, self.name), self.name, look.style(Tone::Strong));
        }
        for column in &self.columns {
            let right = |text: &str| x + 1 + (column.width - text.chars().count()) as u16;
            let head = cut(&column.head, column.width);
            buffer.set_stringn(right(&head), area.y, &head, column.width, faint);
            for ((y, _), said) in rows.clone().zip(&column.cells) {
                let text = said.shortest();
                buffer.set_stringn(right(text), y, text, column.width, look.style(said.tone));
            }
            x += 1 + column.width as u16;
        }
        if let Some((probe, width)) = &self.strip {
            let at = |y: u16| Rect { x: x + 2, y, width: *width as u16, height: 1 };
            let short = short_name(probe);
            let heads = [
                format!("{short} over time, from ▁ 1 ms to █ 10 s, × timed out"),
                format!("{short}, ▁ 1 ms to █ 10 s"),
                format!("{short} over time"),
                short.to_owned(),
            ];
            buffer.set_stringn(x + 2, area.y, fitting(&heads, *width), *width, faint);
            rows.clone().for_each(|(y, arm)| strip::draw(arm, probe, window, buffer, at(y), look));
        }
        if !self.tells_collapse {
            collapses_below(arms, buffer, area, look);
        }
    }
}

/// The number of streams at the collapse, where there is no column for it but a line below the table.
fn collapses_below(arms: &[&ArmFrame], buffer: &mut Buffer, area: Rect, look: &Look) {
    let rows = area.y + 1 + arms.len() as u16..area.bottom();
    for (y, arm) in rows.zip(arms.iter().filter(|arm| arm.collapse.is_some())) {
        let said = collapse(arm);
        let text = format!("{}: health collapsed, {}", arm.name, said.shortest());
        let short = format!("{}: {}", arm.name, said.shortest());
        let width = usize::from(area.width);
        buffer.set_stringn(area.x, y, fitting(&[text, short], width), width, look.style(Tone::Strong));
    }
}

fn collapse(arm: &ArmFrame) -> Said {
    match &arm.collapse {
        Some(collapse) => Said::new(Tone::Strong, [collapse.label.clone()]),
        None => Said::new(Tone::Faint, ["-".to_owned()]),
    }
}
