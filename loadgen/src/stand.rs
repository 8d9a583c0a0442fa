//! Starts the programs that a lab needs, on free ports, and stops all of them, whatever happens.

mod program;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use program::{Program, StartError};

/// How long a program may take until it listens.
pub const START_TIMEOUT: Duration = Duration::from_secs(20);

/// Where the programs are: beside this one, unless told otherwise.
///
/// # Errors
/// When the system does not tell where this program is.
pub fn program_dir(given: Option<&Path>) -> std::io::Result<PathBuf> {
    if let Some(dir) = given {
        return Ok(dir.to_owned());
    }
    let own = std::env::current_exe()?;
    Ok(own.parent().map(Path::to_owned).unwrap_or_default())
}

/// Raises the limit of open descriptors as far as the system allows, for this process and the ones
/// that it starts, and says how many that is.
#[must_use]
pub fn raise_descriptor_limit() -> u64 {
    rlimit::increase_nofile_limit(u64::MAX).unwrap_or(256)
}
