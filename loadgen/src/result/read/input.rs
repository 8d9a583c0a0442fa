//! The bytes of a result file: not more than a result can have, and not longer than a person waits.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::error::Problem;

/// Most bytes that are read. All labs together have about 10 MB.
pub const BYTES_MAX: u64 = 100_000_000;

/// How long a pipe or a device may take.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// All bytes of this file.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Problem> {
    bytes_within(path, WAIT_MAX)
}

pub(super) fn bytes_within(path: &Path, wait_max: Duration) -> Result<Vec<u8>, Problem> {
    let there = fs::metadata(path).map_err(problem)?;
    if there.is_dir() {
        return Err(Problem::Folder);
    }
    if there.is_file() {
        return if there.len() > BYTES_MAX { Err(too_large()) } else { bounded(path) };
    }
    // A pipe may have no writer, and a terminal nobody who types: opening or reading it waits for them. There is no
    // portable way to give up but to leave the thread behind.
    let (done, finished) = mpsc::sync_channel(1);
    let path = path.to_owned();
    let reader = thread::Builder::new().name("result file".to_owned());
    reader.spawn(move || done.send(bounded(&path))).map_err(Problem::Io)?;
    finished.recv_timeout(wait_max).unwrap_or(Err(Problem::Endless { waited_s: wait_max.as_secs() }))
}

fn bounded(path: &Path) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(problem)?;
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(problem)?;
    if bytes.len() as u64 > BYTES_MAX { Err(too_large()) } else { Ok(bytes) }
}

fn too_large() -> Problem {
    Problem::TooLarge { max_mb: BYTES_MAX / 1_000_000 }
}

fn problem(error: io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Problem::Missing,
        io::ErrorKind::PermissionDenied => Problem::Denied,
        io::ErrorKind::IsADirectory => Problem::Folder,
        _ => Problem::Io(error),
    }
}
