use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;

/// Writes the result file. It appears whole or not at all: a reader never meets half of one.
///
/// # Errors
/// When the file cannot be written.
pub fn write_json(result: &impl Serialize, path: &Path) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(result)?;
    text.push(b'\n');
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    fs::write(&partial, text)?;
    fs::rename(&partial, path)
}
