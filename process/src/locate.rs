//! Where the programs of this workspace are.

use std::io;
use std::path::PathBuf;

/// The folder of the programs: that of this program, or for a test or a bench, which is in
/// `target/PROFILE/deps`, `target/PROFILE`.
///
/// # Errors
/// When the system does not say where this program is.
pub fn program_dir() -> io::Result<PathBuf> {
    let mut dir = std::env::current_exe()?;
    dir.pop();
    if dir.ends_with("deps") {
        dir.pop();
    }
    Ok(dir)
}
