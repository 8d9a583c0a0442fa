//! Several labs: which are done, under way and to come, beside the arms of those that are under way.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::terminal::Frame as Screen;

use super::draw_within;
use super::look::{Look, Tone};
use super::words::cut;
use crate::live::Frame;
use crate::result::Outcome;

/// Columns of the list of labs, and of the screens that have room for it.
const LIST: u16 = 31;
const WITH_LIST: u16 = 120;
/// Rows of the smallest screen with a summary of the labs above their arms.
const WITH_SUMMARY: u16 = 14;
/// Rows that the arms of one lab need before those of another are shown too.
const ROWS_OF_LAB: u16 = 18;

/// A lab of several.
#[derive(Debug, Clone)]
pub struct LabShown {
    /// Its name.
    pub name: &'static str,
    /// How far it is.
    pub state: LabState,
}

/// How far a lab is.
#[derive(Debug, Clone)]
pub enum LabState {
    /// It has not begun.
    ToCome,
    /// It is under way.
    Running(Box<Frame>),
    /// It has a verdict.
    Judged(Outcome),
    /// It could not be run.
    Failed,
}

impl LabShown {
    /// The frame of a lab that is under way.
    #[must_use]
    pub fn frame(&self) -> Option<&Frame> {
        match &self.state {
            LabState::Running(frame) => Some(frame),
            _ => None,
        }
    }

    fn word(&self) -> (String, Tone) {
        match &self.state {
            LabState::ToCome => (String::new(), Tone::Faint),
            LabState::Running(frame) => (time_left(frame), Tone::Strong),
            LabState::Judged(outcome) => (outcome.as_str().to_owned(), tone(*outcome)),
            LabState::Failed => ("not run".to_owned(), Tone::Bad),
        }
    }
}

fn tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Held => Tone::Good,
        Outcome::NotHeld => Tone::Bad,
        Outcome::Invalid => Tone::Slow,
    }
}

fn time_left(frame: &Frame) -> String {
    match &frame.phase {
        Some(phase) => format!("{} s left", (phase.run_left_ms / 1000.0).ceil() as u64),
        None => "starting".to_owned(),
    }
}

/// Draws several labs on the whole screen. `look.page` turns the labs that are under way where not all of them fit, then
/// the pages of their arms.
pub fn draw_labs(labs: &[LabShown], screen: &mut Screen<'_>, look: &Look) {
    let (area, buffer) = (screen.area(), screen.buffer_mut());
    let rest = if area.width >= WITH_LIST {
        list(labs, buffer, Rect { width: LIST, ..area }, look);
        Rect { x: area.x + LIST, width: area.width - LIST, ..area }
    } else if area.height >= WITH_SUMMARY {
        summary(labs, buffer, area, look)
    } else {
        area
    };
    let running: Vec<_> = labs.iter().filter_map(|lab| Some((lab.name, lab.frame()?))).collect();
    let shown = running.len().min(usize::from(rest.height / ROWS_OF_LAB).max(1));
    let Some(height) = u16::try_from(shown).ok().and_then(|shown| rest.height.checked_div(shown)) else { return };
    let first = look.page % running.len();
    let in_turn = running.iter().cycle().skip(first).take(shown);
    for (place, (name, frame)) in in_turn.enumerate() {
        let is_last = place + 1 == shown;
        let keys = if is_last { look.keys.clone() } else { Vec::new() };
        let title =
            if rest == area && area.width < WITH_LIST { format!("{name}, {}", head(labs)) } else { (*name).to_owned() };
        let look = Look { title, page: look.page / running.len(), keys, ..look.clone() };
        let y = rest.y + place as u16 * height;
        let height = if is_last { rest.bottom() - y } else { height };
        draw_within(frame, buffer, Rect { y, height, ..rest }, &look);
    }
}

/// A line a lab, from the one before those under way if there are too many.
fn list(labs: &[LabShown], buffer: &mut Buffer, area: Rect, look: &Look) {
    let width = usize::from(area.width) - 2;
    buffer.set_stringn(area.x + 1, area.y, head(labs), width, look.style(Tone::Strong));
    let rows = usize::from(area.height.saturating_sub(2));
    let under_way = labs.iter().position(|lab| !matches!(lab.state, LabState::Judged(_) | LabState::Failed));
    let first = under_way.unwrap_or(labs.len()).saturating_sub(1).min(labs.len().saturating_sub(rows));
    for (y, lab) in (area.y + 2..area.bottom()).zip(labs.iter().skip(first)) {
        let (word, tone) = lab.word();
        buffer.set_stringn(area.x + 1, y, word, width, look.style(tone));
        let tone = if lab.frame().is_some() { Tone::Strong } else { Tone::Plain };
        buffer.set_stringn(area.x + 11, y, cut(lab.name, width - 10), width - 10, look.style(tone));
    }
}

/// Two lines: what is done, and what is under way and next. Returns the area below them.
fn summary(labs: &[LabShown], buffer: &mut Buffer, area: Rect, look: &Look) -> Rect {
    let width = usize::from(area.width.saturating_sub(2));
    let (mut x, _) = buffer.set_stringn(area.x + 1, area.y, head(labs), width, look.style(Tone::Strong));
    for outcome in [Outcome::Held, Outcome::NotHeld, Outcome::Invalid] {
        let count =
            labs.iter().filter(|lab| matches!(lab.state, LabState::Judged(of_lab) if of_lab == outcome)).count();
        if count > 0 {
            let text = format!("  {count} {}", outcome.as_str());
            let room = usize::from(area.right().saturating_sub(x));
            (x, _) = buffer.set_stringn(x, area.y, text, room, look.style(tone(outcome)));
        }
    }
    let names = |of: fn(&LabShown) -> bool| labs.iter().filter(|lab| of(lab)).map(|lab| lab.name).collect::<Vec<_>>();
    let now = names(|lab| lab.frame().is_some()).join(", ");
    let next = names(|lab| matches!(lab.state, LabState::ToCome)).join(", ");
    let next = if next.is_empty() { next } else { format!("  next {next}") };
    let text = cut(&format!("now {now}{next}"), width);
    buffer.set_stringn(area.x + 1, area.y + 1, text, width, look.style(Tone::Faint));
    Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area }
}

fn head(labs: &[LabShown]) -> String {
    let done = labs.iter().filter(|lab| matches!(lab.state, LabState::Judged(_) | LabState::Failed)).count();
    format!("{done} of {} labs done", labs.len())
}
