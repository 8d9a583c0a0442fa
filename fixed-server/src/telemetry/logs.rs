use std::env;
use std::io::{self, IsTerminal};
use std::str::FromStr;

use clap::ValueEnum;
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::prelude::*;

use super::log_writer::LogWriter;

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people, coloured on a terminal unless NO_COLOR is set.
    Text,
    /// One JSON object a line.
    Json,
}

/// Which logs are written.
#[derive(Debug, Clone)]
pub struct LogFilter(Targets);

impl FromStr for LogFilter {
    type Err = String;

    /// A level for everything, or `target=level` pairs.
    fn from_str(text: &str) -> Result<Self, String> {
        // A word alone would be taken for a target, and a misspelt level would switch logs off.
        let levels = text.split(',').map(|part| part.rsplit_once('=').map_or(part, |(_, level)| level));
        for level in levels {
            level.parse::<LevelFilter>().map_err(|_| {
                format!("'{level}' is no level, expected off, error, warn, info, debug or trace, or TARGET=LEVEL pairs")
            })?;
        }
        text.parse().map(LogFilter).map_err(|error: ParseError| error.to_string())
    }
}

/// Begins logging to stderr, until the value that it returns is dropped. A second call changes nothing:
/// the first subscriber stays.
///
/// A thread of its own writes it: see [`LogWriter`].
#[must_use = "dropped at once, nothing is written"]
pub fn init(format: LogFormat, filter: LogFilter) -> impl Drop {
    let LogFilter(filter) = filter;
    let (writer, until_dropped) = LogWriter::start(io::stderr());
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    // A second subscriber is refused, and its thread ends with what is returned.
    let _ = match format {
        LogFormat::Text => registry.with(layer.with_ansi(colour_wanted())).try_init(),
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).try_init(),
    };
    until_dropped
}

/// Colour on a terminal only, and not where <https://no-color.org> says no.
fn colour_wanted() -> bool {
    io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
