//! The staircase as lines of text, with the drawing of the dashboard.

use ratatui_core::buffer::{Buffer, Cell};
use ratatui_core::layout::Rect;
use ratatui_core::style::{Color, Modifier};

use crate::dashboard::{Look, Staircase, draw_staircase};
use crate::report::terminal::table_columns;
use crate::report::{Paint, Terminal};
use crate::result::Diagnosis;

/// Rows of the smallest and of the largest staircase.
pub(super) const ROWS_MIN: usize = 8;
pub(super) const ROWS_MAX: usize = 12;

/// The staircase in this many rows; none without a number of streams that was held.
pub(super) fn drawn(terminal: &Terminal, diagnosis: &Diagnosis, rows: usize) -> Vec<String> {
    let staircase = Staircase::from(diagnosis);
    if staircase.levels.is_empty() {
        return Vec::new();
    }
    let area = Rect { x: 0, y: 0, width: table_columns() as u16, height: rows as u16 };
    let mut buffer = Buffer::empty(area);
    let look = Look { colour: terminal.has_colour(), ..Look::default() };
    draw_staircase(&staircase, &mut buffer, area, &look);
    buffer.content.chunks(usize::from(area.width)).map(|row| painted(terminal, row)).collect()
}

/// A row as text: cells of the same style together, without the space at its end.
fn painted(terminal: &Terminal, row: &[Cell]) -> String {
    let end = row.iter().rposition(|cell| cell.symbol() != " ").map_or(0, |last| last + 1);
    let pieces = row[..end].chunk_by(|one, other| paint(one) == paint(other));
    let text = |cells: &[Cell]| cells.iter().map(Cell::symbol).collect::<String>();
    pieces.map(|cells| terminal.paint(cells.first().map_or(Paint::Plain, paint), &text(cells))).collect()
}

fn paint(cell: &Cell) -> Paint {
    match cell.fg {
        Color::Green => Paint::Green,
        Color::Yellow => Paint::Yellow,
        Color::Red => Paint::Red,
        _ if cell.modifier.contains(Modifier::BOLD) => Paint::Bold,
        _ if cell.modifier.contains(Modifier::DIM) => Paint::Dim,
        _ => Paint::Plain,
    }
}
