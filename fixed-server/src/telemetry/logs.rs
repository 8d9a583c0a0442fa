use std::env;
use std::io::{self, IsTerminal};
use std::str::FromStr;
use std::sync::OnceLock;

use clap::ValueEnum;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder};
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

/// Lines that may wait to be written: some seconds' worth of a busy server, about 1 MB.
const LINES_WAITING_MAX: usize = 4096;

/// Lines that were not written, counted for the whole process, as the subscriber is the whole process's.
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// Begins logging to stderr, until the value that it returns is dropped. A second call changes nothing:
/// the first subscriber stays.
///
/// Lines are written by a thread of their own. Written where they arise, they would stop the event loop
/// as soon as nobody reads them: a pipe holds 64 KiB. When too many wait, the newest are dropped and
/// counted (`log_lines_dropped_total`).
#[must_use = "dropped at once, nothing is written"]
pub fn init(format: LogFormat, filter: LogFilter) -> impl Drop {
    let LogFilter(filter) = filter;
    let writer = NonBlockingBuilder::default().buffered_lines_limit(LINES_WAITING_MAX).lossy(true);
    let (writer, until_dropped) = writer.thread_name("log-writer").finish(io::stderr());
    let dropped = writer.error_counter();
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    let begun = match format {
        LogFormat::Text => registry.with(layer.with_ansi(colour_wanted())).try_init(),
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).try_init(),
    };
    if begun.is_ok() {
        // Nobody has set it: this subscriber is the first.
        let _ = DROPPED.set(dropped);
    }
    until_dropped
}

/// Lines that were dropped since the start.
pub(super) fn lines_dropped() -> u64 {
    DROPPED.get().map_or(0, |dropped| dropped.dropped_lines() as u64)
}

/// Colour on a terminal only, and not where <https://no-color.org> says no.
fn colour_wanted() -> bool {
    io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
