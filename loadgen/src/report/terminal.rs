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

/// Columns for prose: what `COLUMNS` says, within reason, else 80.
#[must_use]
pub(super) fn columns() -> usize {
    const SENSIBLE: std::ops::RangeInclusive<usize> = 40..=200;
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    said.filter(|columns| SENSIBLE.contains(columns)).unwrap_or(COLUMNS)
}

impl Terminal {
    /// Colour only on a terminal that has it, whose user has not set `NO_COLOR` (<https://no-color.org>).
    #[must_use]
    pub fn stdout() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let able = std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Terminal { colour: wanted && able && io::stdout().is_terminal() }
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
