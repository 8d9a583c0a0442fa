//! Writing to the terminal, with colour where it is wanted.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};

/// Standard output that does not mind being closed: a reader that has left (`| head`, a closed
/// window) must not keep a run from stopping what it started.
#[derive(Debug)]
pub struct Terminal {
    colour: bool,
}

/// How a piece of text stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// As it is.
    Plain,
    /// A heading.
    Bold,
    /// Less important.
    Dim,
    /// Good.
    Green,
    /// Bad.
    Red,
    /// Neither.
    Yellow,
}

/// Columns of a terminal that nobody has widened.
const COLUMNS: usize = 80;

/// Columns for tables: those of prose, but a wider terminal does not draw them apart.
#[must_use]
pub(super) fn table_columns() -> usize {
    columns().min(COLUMNS)
}

/// Columns for prose: what `COLUMNS` says, within reason, else 80.
#[must_use]
pub(super) fn columns() -> usize {
    const SENSIBLE: std::ops::RangeInclusive<usize> = 40..=200;
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    said.filter(|columns| SENSIBLE.contains(columns)).unwrap_or(COLUMNS)
}

fn wants_colour(no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    no_color.is_none_or(OsStr::is_empty) && term.is_none_or(|term| term != "dumb")
}

impl Terminal {
    /// Colour only on a terminal that has it, whose user has not set `NO_COLOR` (<https://no-color.org>).
    #[must_use]
    pub fn stdout() -> Self {
        let (no_color, term) = (std::env::var_os("NO_COLOR"), std::env::var_os("TERM"));
        Terminal { colour: wants_colour(no_color.as_deref(), term.as_deref()) && io::stdout().is_terminal() }
    }

    /// Never any colour.
    #[must_use]
    pub fn plain() -> Self {
        Terminal { colour: false }
    }

    /// Writes a line.
    pub fn line(&self, text: impl AsRef<str>) {
        // See the type: whoever closed the output has had their reasons.
        let _ = writeln!(io::stdout(), "{}", text.as_ref());
        let _ = io::stdout().flush();
    }

    /// `text` in this paint, if there is colour.
    #[must_use]
    pub fn paint(&self, paint: Paint, text: &str) -> String {
        let code = match paint {
            _ if !self.colour => return text.to_owned(),
            Paint::Plain => return text.to_owned(),
            Paint::Bold => "1",
            Paint::Dim => "2",
            Paint::Green => "32",
            Paint::Red => "31",
            Paint::Yellow => "33",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals_that_have_it_and_users_who_want_it() {
        let wanted = |no_color: Option<&'static str>, term: Option<&'static str>| {
            wants_colour(no_color.map(OsStr::new), term.map(OsStr::new))
        };
        assert!(wanted(None, Some("xterm-256color")) && wanted(Some(""), None));
        assert!(!wanted(None, Some("dumb")) && !wanted(Some("1"), Some("xterm")));
    }
}
