//! Reads a child's stderr to its end: a child whose pipe is full stands still.

use std::io::{BufRead, BufReader, PipeReader, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::log::Log;

/// Longest line that is kept whole; a longer one is kept in pieces.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// How a pipe is read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reading {
    /// Stops after the ready line. The pipe stays open.
    pub(crate) until_ready: bool,
    /// Prints every line to this process's stderr too.
    pub(crate) echo: bool,
}

/// A pipe that is open and not read any more.
pub(crate) type Unread = Arc<Mutex<Option<BufReader<PipeReader>>>>;

/// Reads the output of `program` into `log` in a thread of its own.
pub(crate) fn drain(program: String, pipe: PipeReader, log: Arc<Log>, reading: Reading) -> Unread {
    let unread = Unread::default();
    let held = unread.clone();
    // The test runner's capture of `eprintln!` is inherited by threads.
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        while let Some(line) = next_line(&mut pipe) {
            if reading.echo {
                eprintln!("{program}: {line}");
            }
            log.push(line);
            if reading.until_ready && log.address().is_some() {
                *held.lock().unwrap_or_else(PoisonError::into_inner) = Some(pipe);
                break;
            }
        }
        log.set_complete();
    });
    unread
}

fn next_line(input: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    match input.take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned()),
    }
}
