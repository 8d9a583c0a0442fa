//! The dashboard in the terminal: what a [`Frame`] says, as a screen. Pure: it reads no clock, no terminal and no
//! environment, so that a test can look at every screen.
//!
//! Arms stand side by side, each with its chart and its figures below, as long as there is room; otherwise each is a
//! line of a table, and on the smallest screens a few words.

mod bar;
mod columns;
mod diagnosis;
mod edges;
mod figure;
mod labs;
mod look;
mod plot;
mod popup;
mod scale;
mod staircase;
mod strip;
mod table;
mod tiny;
mod words;

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::terminal::Frame as Screen;

use self::columns::Columns;
use self::figure::Figure;
use self::plot::ROW_MS;
use self::scale::Window;
use crate::live::Frame;

pub use self::diagnosis::{DiagnosisFrame, draw_diagnosis};
pub use self::labs::{LabShown, LabState, draw_labs};
pub use self::look::{Key, Look, Message, Tone};
pub use self::popup::{Entry, draw_keys, draw_list};
pub use self::staircase::{Staircase, draw_staircase};

/// The smallest screen with a header and a footer.
const WIDTH_MIN: u16 = 40;
const HEIGHT_MIN: u16 = 10;

/// Draws `frame` on the whole screen.
pub fn draw(frame: &Frame, screen: &mut Screen<'_>, look: &Look) {
    let area = screen.area();
    draw_within(frame, screen.buffer_mut(), area, look);
}

/// Draws `frame` in a part of the screen.
fn draw_within(frame: &Frame, buffer: &mut Buffer, area: Rect, look: &Look) {
    if area.width < WIDTH_MIN || area.height < HEIGHT_MIN {
        return tiny::draw(frame, buffer, area, look);
    }
    let body = edges::draw(frame, buffer, area, look);
    draw_arms(frame, buffer, body, look);
}

/// The part of `frame` that is drawn: of a run without an end, the rows of the last minute.
#[must_use]
pub fn shown(frame: &Frame) -> Frame {
    let from_ms = Window::of(frame, false).from_ms - ROW_MS;
    let arms =
        frame.arms.iter().map(|arm| arm.with_rows(&arm.rows[arm.rows.partition_point(|row| row.t_ms < from_ms)..]));
    Frame { arms: arms.collect(), phase: frame.phase.clone(), ..*frame }
}

/// Draws the arms, and the legend below them.
fn draw_arms(frame: &Frame, buffer: &mut Buffer, area: Rect, look: &Look) {
    let mut figures = Figure::of(&frame.arms);
    figures.retain(|figure| !(look.probes_only && figure.is_of_load()));
    let window = Window::of(frame, look.outcome.is_some());
    let (rest, legend) = (Rect { height: area.height - 1, ..area }, Rect { y: area.bottom() - 1, height: 1, ..area });
    if frame.arms.is_empty() {
        let style = look.style(Tone::Faint);
        buffer.set_stringn(area.x + 1, area.y + 1, "Starting the programs.", usize::from(area.width) - 1, style);
    } else if let Some(columns) = Columns::within(rest, frame.arms.len()) {
        columns.draw(frame, &figures, window, buffer, look);
        columns::legend(&figures, buffer, legend, look);
    } else {
        table::draw(frame, &figures, window, buffer, area, look);
    }
}

#[cfg(test)]
mod tests;
