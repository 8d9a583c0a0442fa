//! The lines above and below the arms: the command, the phase, the time left or the outcome, and the keys.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use super::bar;
use super::look::{Look, Tone};
use super::words::{cut, fitting};
use crate::live::{Frame, PhaseFrame};

/// Lines above and below the arms.
const ABOVE: u16 = 2;
const BELOW: u16 = 1;

/// Draws them, and returns the area in between.
pub(super) fn draw(frame: &Frame, buffer: &mut Buffer, area: Rect, look: &Look) -> Rect {
    first_line(frame, buffer, area, look);
    let second = Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: 1 };
    match (look.outcome.as_ref().or(look.notice.as_ref()), &frame.phase) {
        (Some(message), _) => {
            let text = cut(&message.text, usize::from(second.width));
            buffer.set_stringn(second.x, second.y, text, usize::from(second.width), look.style(message.tone));
        }
        (None, Some(phase)) => {
            let whole = frame.t_ms + phase.run_left_ms.max(0.0);
            let share = if whole > 0.0 { frame.t_ms / whole } else { 0.0 };
            bar::draw(share, ["━", "─"], buffer, second, look.style(Tone::Plain));
        }
        (None, None) => {}
    }
    last_line(buffer, area, look);
    Rect { y: area.y + ABOVE, height: area.height - ABOVE - BELOW, ..area }
}

/// The command and the phase at the left, the time at the right.
fn first_line(frame: &Frame, buffer: &mut Buffer, area: Rect, look: &Look) {
    let width = usize::from(area.width) - 2;
    let time = time(frame, look);
    // Of the time, the number in a few words comes before the title of the phase.
    let short = time.get(1).map_or(0, |text| text.chars().count());
    let command = cut(&look.title, width.saturating_sub(short + 2));
    let mut left = width - command.chars().count();
    let phase = match &frame.phase {
        Some(phase) if look.outcome.is_none() => {
            fitting(&phase_words(phase), left.saturating_sub(short + 4)).to_owned()
        }
        _ => String::new(),
    };
    let (after, _) = buffer.set_stringn(area.x + 1, area.y, &command, width, look.style(Tone::Strong));
    if !phase.is_empty() {
        buffer.set_stringn(after + 2, area.y, &phase, left, look.style(Tone::Plain));
        left = left.saturating_sub(phase.chars().count() + 2);
    }
    let time = fitting(&time, left.saturating_sub(2));
    let x = area.right() - 1 - time.chars().count() as u16;
    buffer.set_stringn(x, area.y, time, left, look.style(Tone::Plain));
}

fn phase_words(phase: &PhaseFrame) -> [String; 4] {
    let PhaseFrame { number, of, title, .. } = phase;
    [
        format!("phase {number} of {of}: {title}"),
        format!("{number}/{of} {title}"),
        format!("phase {number} of {of}"),
        format!("{number}/{of}"),
    ]
}

/// The time left or, where no end is known, the time since the start.
fn time(frame: &Frame, look: &Look) -> Vec<String> {
    let seconds = |ms: f64| format!("{} s", (ms.max(0.0) / 1000.0).ceil() as u64);
    match &frame.phase {
        Some(phase) if look.outcome.is_none() => {
            let (of_phase, of_run) = (seconds(phase.left_ms), seconds(phase.run_left_ms));
            let long = format!("{of_phase} left in this phase, {of_run} in all");
            vec![long, format!("{of_run} left"), of_run]
        }
        _ => vec![format!("{} since the start", seconds(frame.t_ms)), seconds(frame.t_ms)],
    }
}

/// The keys that fit.
pub(super) fn last_line(buffer: &mut Buffer, area: Rect, look: &Look) {
    let (mut x, y) = (area.x + 1, area.bottom() - 1);
    for key in &look.keys {
        let width = (key.key.chars().count() + 1 + key.does.chars().count()) as u16;
        if x + width >= area.right() {
            return;
        }
        (x, _) = buffer.set_stringn(x, y, key.key, usize::from(width), look.style(Tone::Strong));
        (x, _) = buffer.set_stringn(x + 1, y, key.does, usize::from(width), look.style(Tone::Faint));
        x += 3;
    }
}
