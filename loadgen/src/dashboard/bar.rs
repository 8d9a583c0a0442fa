//! Bars: a share of a whole, visible without colour.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::Style;

/// Draws `share` of `area`, which is one row, with `full` and the rest with `rest`.
pub(super) fn draw(share: f64, [full, rest]: [&str; 2], buffer: &mut Buffer, area: Rect, style: Style) {
    let filled = (share.clamp(0.0, 1.0) * f64::from(area.width)).round() as u16;
    for (at, x) in (area.left()..area.right()).enumerate() {
        let symbol = if at < usize::from(filled) { full } else { rest };
        buffer.set_stringn(x, area.y, symbol, 1, style);
    }
}
