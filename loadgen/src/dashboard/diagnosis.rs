//! The screen of a diagnosis while it is under way: what it does now, the time that it may still take, and the staircase
//! so far.

use ratatui_core::layout::Rect;
use ratatui_core::terminal::Frame as Screen;

use super::bar;
use super::edges::last_line;
use super::look::{Look, Tone};
use super::staircase::{Staircase, draw_staircase};
use super::words::{cut, fitting};

/// Rows above the staircase, and below it: the keys.
const ABOVE: u16 = 4;
const BELOW: u16 = 2;

/// A diagnosis at one moment.
#[derive(Debug, Clone, Default)]
pub struct DiagnosisFrame {
    /// The server.
    pub server: String,
    /// What is done now, in a few words.
    pub step: String,
    /// Seconds since the start.
    pub seconds: f64,
    /// Seconds that all of it may take.
    pub budget_seconds: f64,
    /// The numbers of streams that were held so far.
    pub staircase: Staircase,
}

/// Draws `frame` on the whole screen.
pub fn draw_diagnosis(frame: &DiagnosisFrame, screen: &mut Screen<'_>, look: &Look) {
    let area = screen.area();
    let buffer = screen.buffer_mut();
    if area.width < 3 || area.height == 0 {
        return;
    }
    let width = usize::from(area.width) - 2;
    let left = (frame.budget_seconds - frame.seconds).max(0.0).ceil();
    let time = [format!("at most {left} s left"), format!("{left} s")];
    let time = fitting(&time, width / 2);
    let room = width - time.chars().count();
    buffer.set_stringn(area.right() - 1 - time.chars().count() as u16, area.y, time, width, look.style(Tone::Plain));
    let title = cut(&format!("{} {}", look.title, frame.server), room.saturating_sub(2));
    buffer.set_stringn(area.x + 1, area.y, title, room, look.style(Tone::Strong));
    if area.height > ABOVE {
        let share = frame.seconds / frame.budget_seconds.max(0.001);
        let line = Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: 1 };
        bar::draw(share, ["━", "─"], buffer, line, look.style(Tone::Plain));
    }
    if area.height > 1 {
        let below_the_bar = area.y + 2.min(area.height - 1);
        buffer.set_stringn(area.x + 1, below_the_bar, cut(&frame.step, width), width, look.style(Tone::Plain));
    }
    if area.height > ABOVE + BELOW {
        let rest = Rect { y: area.y + ABOVE, height: area.height - ABOVE - BELOW, ..area };
        draw_staircase(&frame.staircase, buffer, rest, look);
        last_line(buffer, area, look);
    }
}
