//! Writes the files that a result goes to, at the end of a command.

use std::io;
use std::path::Path;

use serde::Serialize;

use super::CommandError;
use crate::cli::Outputs;
use crate::report::{self, Terminal};
use crate::result::RunResult;

/// Writes the files of one run and says so.
pub(super) fn write(result: &RunResult, outputs: &Outputs, terminal: &Terminal) -> Result<(), CommandError> {
    write_as(result, || report::page(result), outputs, terminal)
}

/// Writes `result` as JSON, and the page of it. If the one cannot be written, the other still is.
pub(super) fn write_as(
    result: &impl Serialize,
    page: impl FnOnce() -> String,
    outputs: &Outputs,
    terminal: &Terminal,
) -> Result<(), CommandError> {
    let json = outputs
        .out
        .as_deref()
        .map_or(Ok(()), |path| written(report::write_json(result, path), "  The result:  ", path, terminal));
    let page = outputs.html.as_deref().map_or(Ok(()), |path| write_page(&page(), path, terminal));
    json.and(page)
}

/// Writes a page and says so.
pub(super) fn write_page(page: &str, path: &Path, terminal: &Terminal) -> Result<(), CommandError> {
    written(report::write_file(page.as_bytes(), path), "  The page:    ", path, terminal)
}

/// Writes a picture and says so.
pub(super) fn write_picture(picture: &str, path: &Path, terminal: &Terminal) -> Result<(), CommandError> {
    written(report::write_file(picture.as_bytes(), path), "  The picture: ", path, terminal)
}

fn written(outcome: io::Result<()>, label: &str, path: &Path, terminal: &Terminal) -> Result<(), CommandError> {
    outcome.map_err(|source| CommandError::Out { path: path.display().to_string(), source })?;
    terminal.line(format!("{label}{}", path.display()));
    Ok(())
}
