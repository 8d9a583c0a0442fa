//! Options of a session.

use std::path::PathBuf;
use std::time::Duration;

/// Options of a session.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Where the programs are.
    pub program_dir: PathBuf,
    /// How long each program may take to start.
    pub start_timeout: Duration,
    /// Time without any request to the session after which its streams are closed: nobody may be there any more.
    pub idle_timeout: Duration,
}

impl SessionOptions {
    /// An hour without any request, and 20 s for each program.
    #[must_use]
    pub fn new(program_dir: impl Into<PathBuf>) -> Self {
        SessionOptions {
            program_dir: program_dir.into(),
            start_timeout: process::START_TIMEOUT,
            idle_timeout: Duration::from_secs(3600),
        }
    }
}
