//! The result file.

use std::io;
use std::path::Path;

use serde::Serialize;

use super::write_file;

/// Writes the result file.
///
/// # Errors
/// When the file cannot be written.
pub fn write_json(result: &impl Serialize, path: &Path) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(result)?;
    text.push(b'\n');
    write_file(&text, path)
}
