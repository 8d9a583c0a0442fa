//! Logging to stderr: one line per event, without waiting for its reader.

/// How the fields of an event are written.
mod fields;
/// The queue and the thread that writes it.
mod output;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal};
use std::panic::{self, PanicHookInfo};
use std::str::FromStr;
use std::{env, thread};

use clap::ValueEnum;
use tracing::Subscriber;
use tracing_appender::non_blocking::NonBlocking;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;

pub use output::{FlushOnDrop, lines_dropped};

/// Format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Readable lines, coloured on a terminal unless NO_COLOR is set
    Text,
    /// One JSON object per line
    Json,
}

/// Which events are logged.
#[derive(Debug, Clone)]
pub struct LogFilter(Targets);

impl LogFilter {
    /// Parses a level, or `target=level` pairs, and adds the pairs in `defaults` for targets that `text` does not
    /// name. Panics are logged unless `text` contains `panic=off`.
    ///
    /// # Errors
    /// Names the invalid level.
    pub fn over(defaults: &str, text: &str) -> Result<Self, String> {
        // A single word would be parsed as a target, so a misspelt level would switch logging off.
        let levels = text.split(',').map(|part| part.rsplit_once('=').map_or(part, |(_, level)| level));
        for level in levels {
            level.parse::<LevelFilter>().map_err(|_| {
                format!(
                    "'{level}' is not a level, expected off, error, warn, info, debug or trace, or TARGET=LEVEL pairs"
                )
            })?;
        }
        let defaults = if defaults.is_empty() { PANICS.to_owned() } else { format!("{PANICS},{defaults}") };
        format!("{defaults},{text}").parse().map(LogFilter).map_err(|error: ParseError| error.to_string())
    }
}

impl FromStr for LogFilter {
    type Err = String;

    /// Parses a level, or `target=level` pairs.
    fn from_str(text: &str) -> Result<Self, String> {
        LogFilter::over("", text)
    }
}

/// Panics are logged at any level, as the default hook of Rust prints them.
const PANICS: &str = "panic=error";

/// Starts logging to stderr, panics included, until the returned value is dropped. A second call changes
/// nothing: the first subscriber stays.
///
/// A separate thread writes the lines, so a reader that stops reading blocks nothing. Lines that do not fit in
/// the queue are dropped and counted, see [`lines_dropped`].
#[must_use = "logging stops when it is dropped"]
pub fn init(format: LogFormat, filter: LogFilter) -> FlushOnDrop {
    let LogFilter(filter) = filter;
    let (writer, flush) = output::start(io::stderr());
    let layer = layer(format, colour_wanted(), writer.clone());
    // A second subscriber is rejected, and its thread ends with the returned value.
    if tracing_subscriber::registry().with(filter).with(layer).try_init().is_ok() {
        output::count_drops_of(&writer);
        // The default hook writes to stderr itself, and waits for its reader.
        panic::set_hook(Box::new(log_panic));
    }
    flush
}

fn layer<S>(format: LogFormat, colour: bool, writer: NonBlocking) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    match format {
        LogFormat::Text => layer.fmt_fields(fields::escaped()).with_ansi(colour).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    }
}

/// Colour only on a terminal, and not if NO_COLOR is set (<https://no-color.org>).
fn colour_wanted() -> bool {
    io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let thread = thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let reason = panic.payload_as_str().unwrap_or("a value that is not text");
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(target: "panic", thread, location, backtrace, "panicked: {reason}");
}

#[cfg(test)]
mod tests {
    use std::io::{Read, pipe};

    use super::*;

    /// The output for the events logged by `log`.
    fn written(format: LogFormat, colour: bool, log: impl FnOnce()) -> String {
        let (mut reader, out) = pipe().unwrap();
        let (writer, flush) = output::start(out);
        let subscriber = tracing_subscriber::registry().with(layer(format, colour, writer));
        tracing::subscriber::with_default(subscriber, log);
        drop(flush);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    }

    const FORGED: &str = "m\r\n2026-01-01T00:00:00Z  INFO key revoked\u{1b}[2K\u{9b}1A\u{2028}\0";

    fn log_forged() {
        let error = io::Error::other(FORGED);
        let span = tracing::error_span!("span", of_span = FORGED, displayed = %FORGED);
        let _entered = span.enter();
        tracing::error!(quoted = FORGED, displayed = %FORGED, debugged = ?FORGED, %error, "message with {FORGED}");
        tracing::error!(error = &error as &(dyn std::error::Error + 'static), r#type = FORGED, "{}", FORGED);
    }

    #[test]
    fn text_logs_escape_line_breaks_and_control_characters() {
        let text = written(LogFormat::Text, false, log_forged);
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(!text.trim_end().chars().any(|c| c != '\n' && (c.is_control() || c == '\u{2028}')), "{text:?}");
        assert!(text.contains(r"displayed=m\r\n2026-01-01"), "{text}");
        assert!(text.contains(r"message with m\r\n2026-01-01T00:00:00Z  INFO key revoked\u{1b}[2K"), "{text}");
        assert!(text.contains(r#" type="m\r\n2026"#), "{text}");
    }

    #[test]
    fn coloured_lines_contain_no_escapes_but_colours() {
        let text = written(LogFormat::Text, true, log_forged);
        let plain = written(LogFormat::Text, false, log_forged);
        assert!(text.contains("\u{1b}[3mdisplayed\u{1b}[0m\u{1b}[2m=\u{1b}[0m"), "{text:?}");
        let mut parts = text.split('\u{1b}');
        let mut rest = parts.next().unwrap().to_owned();
        for part in parts {
            let (code, after) = part.split_once('m').unwrap();
            assert!(code.strip_prefix('[').is_some_and(|code| code.parse::<u8>().is_ok()), "{text:?}");
            rest += after;
        }
        // Except for the times, the lines are equal.
        let without_times = |text: &str| text.lines().map(|line| line[27..].to_owned()).collect::<Vec<_>>();
        assert_eq!(without_times(&rest), without_times(&plain));
    }

    #[test]
    fn json_logs_are_one_object_per_line_with_all_values() {
        let text = written(LogFormat::Json, false, log_forged);
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert_eq!((&lines[0]["displayed"], &lines[1]["type"]), (&FORGED.into(), &FORGED.into()));
        assert!(!text.contains(['\r', '\u{1b}', '\0']), "{text:?}");
    }

    #[test]
    fn a_panic_is_logged_in_one_line_in_the_log_format() {
        let before = panic::take_hook();
        let text = written(LogFormat::Json, false, || {
            panic::set_hook(Box::new(log_panic));
            let _ = panic::catch_unwind(|| panic!("on purpose\nand more"));
        });
        panic::set_hook(before);
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "panicked: on purpose\nand more");
        assert_eq!((&line["level"], &line["target"]), (&"ERROR".into(), &"panic".into()));
        assert!(line["location"].as_str().unwrap().contains("logs.rs:"), "{text}");
    }

    #[test]
    fn an_invalid_level_is_named_and_panics_are_always_logged() {
        assert!("inof".parse::<LogFilter>().unwrap_err().contains("'inof' is not a level"));
        assert!("info,hyper=lots".parse::<LogFilter>().unwrap_err().contains("'lots' is not a level"));
        for (text, logged) in [("off", true), ("hyper=debug", true), ("panic=off", false), ("trace,panic=off", false)] {
            let LogFilter(filter) = text.parse().unwrap();
            assert_eq!(filter.would_enable("panic", &tracing::Level::ERROR), logged, "{text}");
        }
        let LogFilter(filter) = LogFilter::over("actix_server=warn", "info").unwrap();
        assert!(!filter.would_enable("actix_server", &tracing::Level::INFO));
        assert!(filter.would_enable("actix_web", &tracing::Level::INFO));
    }
}
