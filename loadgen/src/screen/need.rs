//! What a dashboard needs of the terminal.

use std::ffi::OsStr;
use std::io::{self, IsTerminal};

use ratatui_crossterm::crossterm::terminal::size;

use super::job;

/// Columns of the smallest screen for a dashboard.
pub const COLUMNS_MIN: u16 = 40;
/// Rows of the smallest screen for a dashboard.
pub const ROWS_MIN: u16 = 10;

/// Why there is no screen for a dashboard, so that lines are printed.
#[derive(Debug, thiserror::Error)]
pub enum NoScreen {
    /// Standard output is no terminal.
    #[error("standard output is no terminal")]
    NoTerminal,
    /// The terminal can do nothing but print lines (`TERM=dumb`).
    #[error("the terminal is dumb")]
    Dumb,
    /// The command runs in the background of its terminal.
    #[error("the command runs in the background")]
    Background,
    /// The terminal is too small.
    #[error("it needs a terminal of {COLUMNS_MIN}×{ROWS_MIN}, and this one is {columns}×{rows}")]
    TooSmall {
        /// Its width.
        columns: u16,
        /// Its height.
        rows: u16,
    },
    /// The system does not give it.
    #[error("the terminal cannot be used: {0}")]
    System(#[from] io::Error),
}

impl NoScreen {
    /// Whether it surprises the user, who then learns why there are lines.
    #[must_use]
    pub fn is_surprising(&self) -> bool {
        matches!(self, NoScreen::TooSmall { .. } | NoScreen::System(_))
    }
}

/// Whether standard output is a screen for a dashboard.
///
/// # Errors
/// Why not.
pub(super) fn check() -> Result<(), NoScreen> {
    if !io::stdout().is_terminal() {
        return Err(NoScreen::NoTerminal);
    }
    if is_dumb(std::env::var_os("TERM").as_deref()) {
        return Err(NoScreen::Dumb);
    }
    if !job::is_in_foreground() {
        return Err(NoScreen::Background);
    }
    // A terminal whose size is unknown says that it has none.
    fits(size().unwrap_or_default())
}

fn is_dumb(term: Option<&OsStr>) -> bool {
    term.is_some_and(|term| term == "dumb")
}

fn fits((columns, rows): (u16, u16)) -> Result<(), NoScreen> {
    if columns < COLUMNS_MIN || rows < ROWS_MIN { Err(NoScreen::TooSmall { columns, rows }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_terminal_gets_lines_and_the_size_that_is_needed() {
        assert!(fits((40, 10)).is_ok());
        for size in [(39, 10), (40, 9), (0, 0)] {
            let why = fits(size).unwrap_err();
            let expected = format!("a terminal of 40×10, and this one is {}×{}", size.0, size.1);
            assert!(why.is_surprising() && why.to_string().ends_with(&expected), "{why}");
        }
    }

    #[test]
    fn only_a_dumb_terminal_is_dumb() {
        assert!(is_dumb(Some(OsStr::new("dumb"))));
        assert!(!is_dumb(Some(OsStr::new("xterm-256color"))) && !is_dumb(None));
    }
}
