//! The dashboard on a real terminal: however a command ends, the terminal is as it was before, and what lines mode says
//! is on the ordinary screen.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod commands;
mod hangup;
mod interactive;
mod lines;
mod panics;
mod pty;
#[path = "../scripted/mod.rs"]
mod scripted;
mod servers;
#[path = "../test_programs/mod.rs"]
mod test_programs;

use pty::Ended;

/// Taking and giving back the alternate screen, as xterm has named them.
const TAKES: &str = "\u{1b}[?1049h";
const GIVES_BACK: &str = "\u{1b}[?1049l";
const HIDES_CURSOR: &str = "\u{1b}[?25l";
const SHOWS_CURSOR: &str = "\u{1b}[?25h";

/// Columns and rows.
const USUAL: (u16, u16) = (80, 24);

/// What is on the ordinary screen at the end, before and after the dashboard.
fn ordinary_screen(ended: &Ended) -> (String, String) {
    let (before, rest) = ended.written.split_once(TAKES).unwrap_or_else(|| panic!("no dashboard: {:?}", ended.written));
    let (_, after) = rest.rsplit_once(GIVES_BACK).unwrap_or_else(|| panic!("it stays: {:?}", ended.written));
    (without_styles(before), without_styles(after))
}

/// The terminal is as it was, whatever happened.
fn assert_given_back(ended: &Ended) {
    ordinary_screen(ended);
    let times = |what: &str| ended.written.matches(what).count();
    assert_eq!(times(TAKES), times(GIVES_BACK), "{:?}", ended.written);
    assert!(ended.modes_are_as_before, "the terminal is left in raw mode");
    assert!(ended.written.rfind(SHOWS_CURSOR) > ended.written.rfind(HIDES_CURSOR), "the cursor stays hidden");
}

/// Without bold and colours, and without the carriage returns of the terminal.
fn without_styles(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let first = pieces.next().unwrap_or_default().to_owned();
    let rest = pieces.map(|piece| piece.split_once('m').map_or(piece, |(_, text)| text));
    rest.fold(first, |text, piece| text + piece).replace('\r', "")
}
