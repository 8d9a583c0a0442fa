//! Directories for tests.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::{env, fs, io, process};

static MADE: AtomicU32 = AtomicU32::new(0);

/// A directory that is removed with this value.
#[derive(Debug)]
pub struct TempDir(PathBuf);

impl TempDir {
    /// An empty directory. Its path is short: that of a socket has a limit of about 100 bytes.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> io::Result<Self> {
        loop {
            let path = env::temp_dir().join(format!("test-{}-{}", process::id(), MADE.fetch_add(1, Relaxed)));
            match fs::create_dir(&path) {
                // Left behind by a process of the same id that was killed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made.map(|()| TempDir(path)),
            }
        }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
