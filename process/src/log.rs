//! What a program has printed to stderr, and the address in its ready line.

use std::collections::VecDeque;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

const READY: &str = "listening on http://";

/// Where a program's stderr goes.
#[derive(Debug)]
pub(crate) enum Log {
    /// A pipe that a thread reads.
    Pipe(Mutex<Lines>),
    /// A file that nobody reads unless asked.
    File(PathBuf),
    /// Elsewhere.
    None,
}

/// The last lines of a pipe.
#[derive(Debug)]
pub(crate) struct Lines {
    last: VecDeque<String>,
    keep: usize,
    address: Option<SocketAddr>,
    /// Nothing more will come.
    complete: bool,
}

impl Log {
    pub(crate) fn pipe(keep: usize) -> Self {
        Log::Pipe(Mutex::new(Lines { last: VecDeque::new(), keep, address: None, complete: false }))
    }

    pub(crate) fn push(&self, line: String) {
        let Log::Pipe(lines) = self else { return };
        let mut lines = lock(lines);
        if lines.address.is_none() {
            lines.address = address_in(&line);
        }
        if lines.last.len() == lines.keep {
            lines.last.pop_front();
        }
        lines.last.push_back(line);
    }

    pub(crate) fn set_complete(&self) {
        if let Log::Pipe(lines) = self {
            lock(lines).complete = true;
        }
    }

    /// Whether all that an ended program printed is here.
    pub(crate) fn is_complete(&self) -> bool {
        match self {
            Log::Pipe(lines) => lock(lines).complete,
            Log::File(_) | Log::None => true,
        }
    }

    /// The address in the ready line, once it is printed.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Log::Pipe(lines) => lock(lines).address,
            Log::File(_) => self.lines().iter().find_map(|line| address_in(line)),
            Log::None => None,
        }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        match self {
            Log::Pipe(lines) => lock(lines).last.iter().cloned().collect(),
            // Whole lines only: the last may be half written.
            Log::File(path) => {
                let text = fs::read_to_string(path).unwrap_or_default();
                text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).map(str::to_owned).collect()
            }
            Log::None => Vec::new(),
        }
    }

    /// The last lines for an error message.
    pub(crate) fn summary(&self) -> String {
        const LINES_SHOWN: usize = 12;
        let lines = self.lines();
        let shown = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
        if shown.is_empty() { "it printed nothing".to_owned() } else { shown.join(" | ") }
    }
}

fn lock(lines: &Mutex<Lines>) -> MutexGuard<'_, Lines> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(READY)?;
    let end = rest.find(|c: char| c.is_whitespace() || c == '"' || c == '/').unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_any_log_format() {
        let expected = "127.0.0.1:8000".parse().ok();
        assert_eq!(address_in("listening on http://127.0.0.1:8000"), expected);
        assert_eq!(address_in(r#"{"message":"listening on http://127.0.0.1:8000"}"#), expected);
        assert_eq!(address_in("INFO listening on http://127.0.0.1:8000/ (40 threads)"), expected);
        assert_eq!(address_in("nothing of the kind"), None);
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let log = Log::pipe(2);
        for line in ["a", "b", "c"] {
            log.push(line.to_owned());
        }
        assert_eq!(log.lines(), ["b", "c"]);
    }
}
