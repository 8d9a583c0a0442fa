//! A box over the arms: a list to pick from, or lines to read.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::Modifier;
use ratatui_core::terminal::Frame as Screen;

use super::look::{Look, Tone};
use super::words::cut;
use crate::report::wrap_at;

/// The widest box: longer lines are hard to read. A little more than that is not worth a strip at each side.
const WIDTH_MAX: u16 = 76;
const STRIP_MIN: u16 = 4;
/// Rows of the explanation below a list.
const EXPLANATION_MAX: usize = 4;

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What is picked.
    pub name: String,
    /// What it means, in a sentence; shown for the entry that is selected.
    pub explanation: String,
}

/// Draws a list over the dashboard. `selected` is in view, and its explanation below the list.
pub fn draw_list(screen: &mut Screen<'_>, title: &str, entries: &[Entry], selected: usize, look: &Look) {
    let widest = entries.iter().map(|entry| entry.name.chars().count()).max().unwrap_or(0);
    let area = place(screen.area(), entries.len() + EXPLANATION_MAX + 1);
    let buffer = screen.buffer_mut();
    let inside = frame(title, buffer, area, look);
    let explanation = entries.get(selected).map_or("", |entry| &entry.explanation);
    let wrapped = wrap_at(usize::from(inside.width), "", explanation);
    let mut below: Vec<_> = wrapped.lines().map(str::to_owned).collect();
    let rows = EXPLANATION_MAX.min(usize::from(inside.height) / 2);
    let is_cut = below.len() > rows;
    below.truncate(rows);
    if let Some(last) = below.last_mut().filter(|_| is_cut) {
        *last = cut(&format!("{last} …"), usize::from(inside.width));
    }
    let room = usize::from(inside.height).saturating_sub(below.len() + 1).max(1);
    // The selected entry is in the middle, except at the ends.
    let first = selected.saturating_sub(room / 2).min(entries.len().saturating_sub(room));
    for (y, (at, entry)) in (inside.top()..).zip(entries.iter().enumerate().skip(first).take(room)) {
        let (sign, style) = match at == selected {
            true => ("> ", look.style(Tone::Strong).add_modifier(Modifier::REVERSED)),
            false => ("  ", look.style(Tone::Plain)),
        };
        let width = (widest + 3).min(usize::from(inside.width));
        let text = cut(&format!("{sign}{}", entry.name), width);
        buffer.set_stringn(inside.x, y, format!("{text:<width$}"), width, style);
    }
    let rows = inside.bottom() - below.len() as u16..inside.bottom();
    for (y, line) in rows.zip(below) {
        buffer.set_stringn(inside.x, y, line, usize::from(inside.width), look.style(Tone::Plain));
    }
}

/// Draws lines to read over the dashboard: two columns, of which the first is a key.
pub fn draw_keys(screen: &mut Screen<'_>, title: &str, keys: &[(&str, &str)], look: &Look) {
    let first = keys.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
    let area = place(screen.area(), keys.len());
    let buffer = screen.buffer_mut();
    let inside = frame(title, buffer, area, look);
    for (y, (key, does)) in (inside.top()..inside.bottom()).zip(keys) {
        let width = usize::from(inside.width);
        let (x, _) = buffer.set_stringn(inside.x, y, format!("{key:<first$}  "), width, look.style(Tone::Strong));
        let left = width.saturating_sub(first + 2);
        buffer.set_stringn(x, y, cut(does, left), left, look.style(Tone::Plain));
    }
}

/// The middle of the screen, with room for this many rows if it has them.
fn place(screen: Rect, rows: usize) -> Rect {
    let width = if screen.width < WIDTH_MAX + 2 * STRIP_MIN { screen.width } else { WIDTH_MAX };
    let height = (rows as u16 + 2).min(screen.height);
    Rect { x: screen.x + (screen.width - width) / 2, y: screen.y + (screen.height - height) / 2, width, height }
}

/// Draws an empty box, and returns the area inside it.
fn frame(title: &str, buffer: &mut Buffer, area: Rect, look: &Look) -> Rect {
    if area.width < 4 || area.height < 3 {
        return Rect { width: 0, height: 0, ..area };
    }
    let inner = usize::from(area.width) - 2;
    let title = cut(title, inner.saturating_sub(4));
    let top = format!("┌ {title} {}┐", "─".repeat(inner.saturating_sub(title.chars().count() + 2)));
    let (middle, bottom) = (format!("│{}│", " ".repeat(inner)), format!("└{}┘", "─".repeat(inner)));
    buffer.set_style(area, ratatui_core::style::Style::reset());
    for y in area.top()..area.bottom() {
        let line = match y {
            y if y == area.top() => &top,
            y if y == area.bottom() - 1 => &bottom,
            _ => &middle,
        };
        buffer.set_stringn(area.x, y, line, usize::from(area.width), look.style(Tone::Plain));
    }
    Rect { x: area.x + 2, y: area.y + 1, width: area.width - 4, height: area.height - 2 }
}
