use std::env;
use std::io::{self, IsTerminal};
use std::str::FromStr;

use clap::ValueEnum;
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::prelude::*;

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

    /// A level for everything, or `target=level` pairs. actix's own start-up chatter is held back
    /// unless the text names it.
    fn from_str(text: &str) -> Result<Self, String> {
        // A word alone would be taken for a target, and a misspelt level would switch logs off.
        let levels = text.split(',').map(|part| part.rsplit_once('=').map_or(part, |(_, level)| level));
        for level in levels {
            level.parse::<LevelFilter>().map_err(|_| {
                format!("'{level}' is no level, expected off, error, warn, info, debug or trace, or TARGET=LEVEL pairs")
            })?;
        }
        format!("actix_server=warn,{text}").parse().map(LogFilter).map_err(|error: ParseError| error.to_string())
    }
}

/// Begins logging to stderr. A second call changes nothing: the first subscriber stays.
pub fn init(format: LogFormat, filter: LogFilter) {
    let LogFilter(filter) = filter;
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    // The error says only that a subscriber is there already.
    let _ = match format {
        LogFormat::Text => registry.with(layer.with_ansi(colour_wanted())).try_init(),
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).try_init(),
    };
}

/// Colour on a terminal only, and not where <https://no-color.org> says no.
fn colour_wanted() -> bool {
    io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
