//! The latency of a probe over time in one line: the higher the block, the longer, on the scale of the charts.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use super::look::Look;
use super::plot::points;
use super::scale::{Window, height};
use crate::live::ArmFrame;

/// From 1 ms and below to 10 s and above.
const BLOCKS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Draws `probe` of `arm` in one row.
pub(super) fn draw(arm: &ArmFrame, probe: &str, window: Window, buffer: &mut Buffer, area: Rect, look: &Look) {
    for (x, point) in (area.left()..).zip(points(arm, probe, window, area.width)) {
        let Some(point) = point else { continue };
        let level = (height(point.ms) * (BLOCKS.len() - 1) as f64).round() as usize;
        let symbol = point.sign().unwrap_or(BLOCKS[level]);
        buffer.set_stringn(x, area.y, symbol, 1, look.style(point.tone()));
    }
}
