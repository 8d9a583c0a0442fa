//! Standard output, with colour on terminals that support it.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Standard output that ignores being closed: a reader that has gone away (`| head`, a closed window) must not
/// keep a run from stopping the programs that it started.
#[derive(Debug, Clone)]
pub struct Terminal {
    colour: bool,
    /// Whether only results are printed.
    quiet: bool,
    /// Whether nothing is printed.
    silent: bool,
    /// Lines that are kept back instead of printed.
    kept: Option<Arc<Mutex<Vec<String>>>>,
    /// Lines that wait for the end of a dashboard, while there is one; shared by all that print on this terminal.
    held: Arc<Mutex<Option<Vec<String>>>>,
}

/// The style of a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// No style.
    Plain,
    /// A heading.
    Bold,
    /// Less important.
    Dim,
    /// Good.
    Green,
    /// Bad.
    Red,
    /// In between.
    Yellow,
}

/// Default width of a terminal.
pub(super) const COLUMNS: usize = 80;

/// Width for tables: that of prose, but at most 80.
#[must_use]
pub(super) fn table_columns() -> usize {
    columns().min(COLUMNS)
}

/// Width for prose: `COLUMNS` from the environment if it is within reason, otherwise 80.
#[must_use]
pub(super) fn columns() -> usize {
    const SENSIBLE: std::ops::RangeInclusive<usize> = 40..=200;
    let wanted = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    wanted.filter(|columns| SENSIBLE.contains(columns)).unwrap_or(COLUMNS)
}

fn wants_colour(no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    no_color.is_none_or(OsStr::is_empty) && term.is_none_or(|term| term != "dumb")
}

impl Terminal {
    /// With colour only on a terminal that supports it and without `NO_COLOR` (<https://no-color.org>).
    #[must_use]
    pub fn stdout() -> Self {
        let (no_color, term) = (std::env::var_os("NO_COLOR"), std::env::var_os("TERM"));
        let colour = wants_colour(no_color.as_deref(), term.as_deref()) && io::stdout().is_terminal();
        Terminal { colour, ..Terminal::plain() }
    }

    /// Without colour.
    #[must_use]
    pub fn plain() -> Self {
        Terminal { colour: false, quiet: false, silent: false, kept: None, held: Arc::default() }
    }

    /// With colour.
    #[cfg(test)]
    pub(crate) fn with_colour() -> Self {
        Terminal { colour: true, ..Terminal::plain() }
    }

    /// The same, printing only results if `quiet`: nothing that goes through [`Terminal::aside`].
    #[must_use]
    pub fn quiet(&self, quiet: bool) -> Self {
        Terminal { quiet, ..self.clone() }
    }

    /// For what is printed around a result: an introduction, the progress, where to read on.
    #[must_use]
    pub fn aside(&self) -> Self {
        Terminal { silent: self.quiet, ..self.clone() }
    }

    /// For progress, which is of no use once a run is over.
    #[must_use]
    pub fn live(&self) -> Self {
        Terminal { silent: self.silent || self.kept.is_some(), ..self.clone() }
    }

    /// The same, but it keeps its lines back until they are [released](Terminal::release).
    #[must_use]
    pub fn keeping(&self) -> Self {
        Terminal { kept: Some(Arc::default()), ..self.clone() }
    }

    /// Prints on `to` what was kept back.
    pub fn release(&self, to: &Terminal) {
        let kept =
            self.kept.iter().flat_map(|kept| std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner)));
        kept.for_each(|line| to.line(line));
    }

    /// Holds back what is printed from now on, because a dashboard is on the terminal.
    pub(crate) fn hold(&self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
    }

    /// Prints what was held back, and from now on everything at once.
    pub(crate) fn release_held(&self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.take().into_iter().flatten().for_each(|line| print(&line));
    }

    /// Writes a line.
    pub fn line(&self, text: impl AsRef<str>) {
        if self.silent {
            return;
        }
        if let Some(kept) = &self.kept {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(text.as_ref().to_owned());
            return;
        }
        match &mut *self.held.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(held) => held.push(text.as_ref().to_owned()),
            None => print(text.as_ref()),
        }
    }

    /// Whether there is colour.
    #[must_use]
    pub fn has_colour(&self) -> bool {
        self.colour
    }

    /// `text` in this style, if there is colour.
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

fn print(line: &str) {
    // See the type: a closed output is not an error.
    let _ = writeln!(io::stdout(), "{line}");
    let _ = io::stdout().flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_needs_a_terminal_with_colour_and_no_no_color() {
        let wanted = |no_color: Option<&'static str>, term: Option<&'static str>| {
            wants_colour(no_color.map(OsStr::new), term.map(OsStr::new))
        };
        assert!(wanted(None, Some("xterm-256color")) && wanted(Some(""), None));
        assert!(!wanted(None, Some("dumb")) && !wanted(Some("1"), Some("xterm")));
    }

    #[test]
    fn lines_of_all_wait_in_order_for_the_end_of_a_dashboard() {
        let terminal = Terminal::plain();
        terminal.hold();
        terminal.aside().line("an introduction");
        let kept = terminal.keeping();
        kept.line("of a lab beside others");
        terminal.line("a verdict");
        kept.release(&terminal);
        let held = terminal.held.lock().unwrap().clone().unwrap();
        assert_eq!(held, ["an introduction", "a verdict", "of a lab beside others"]);
        terminal.release_held();
        assert_eq!(*terminal.held.lock().unwrap(), None);
    }
}
