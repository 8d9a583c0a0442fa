//! Reads a result file that somebody names: of any command, whole or damaged, or not a result at all. Every failure
//! says which file, what is wrong with it and what to do; nothing in a file makes it panic, wait without end or take
//! memory without limit.

mod document;
mod error;
mod input;
mod message;
mod whole;

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::result::{LabsResult, RunResult, SCHEMA_VERSION};
use message::{failed_field, in_words};

pub use error::{Problem, ReadError};
pub use input::BYTES_MAX;

/// What a result file holds.
#[derive(Debug, Clone)]
pub enum ResultFile {
    /// One run: of `demo`, `lab`, `run`, `verify`, `sequence` or `diagnose`.
    Run(Box<RunResult>),
    /// Several labs: of `labs`.
    Labs(Box<LabsResult>),
}

/// Reads a result file.
///
/// # Errors
/// What is wrong with it.
pub fn read(path: &Path) -> Result<ResultFile, ReadError> {
    let read = input::bytes(path).and_then(|json| parse(&json));
    read.map_err(|problem| ReadError::new(path, problem))
}

/// Reads the text of a result file.
///
/// # Errors
/// What is wrong with it.
pub fn parse(json: &[u8]) -> Result<ResultFile, Problem> {
    document::check(json)?;
    let fields: BTreeMap<String, &RawValue> =
        serde_json::from_slice(json).map_err(|_| Problem::NotAResult { why: "it is no object" })?;
    check_version(fields.get("schema_version").map(|version| version.get()))?;
    let Some(command) = fields.get("command") else {
        return Err(Problem::NotAResult { why: "it has no `command`" });
    };
    if command.get() == r#""labs""# {
        let labs: Box<LabsResult> = typed(json)?;
        whole::check_labs(&labs)?;
        Ok(ResultFile::Labs(labs))
    } else {
        let run: Box<RunResult> = typed(json)?;
        whole::check_run(&run, "")?;
        Ok(ResultFile::Run(run))
    }
}

/// A file of another version may have the same fields with another meaning.
fn check_version(found: Option<&str>) -> Result<(), Problem> {
    let Some(found) = found else { return Err(Problem::NotAResult { why: "it has no `schema_version`" }) };
    match found.parse::<u32>() {
        Ok(SCHEMA_VERSION) => Ok(()),
        Ok(found) if found > SCHEMA_VERSION => Err(Problem::Newer { found }),
        Ok(found) => Err(Problem::Older { found }),
        Err(_) => Err(Problem::NotAResult { why: "its `schema_version` is no number of a version" }),
    }
}

/// The result with its types. Fields that this version does not know are left out.
fn typed<T: DeserializeOwned>(json: &[u8]) -> Result<Box<T>, Problem> {
    let mut json = serde_json::Deserializer::from_slice(json);
    serde_path_to_error::deserialize(&mut json).map(Box::new).map_err(|error| {
        let place = error.inner();
        Problem::Field {
            field: failed_field(&error.path().to_string(), place),
            what: in_words(place),
            line: place.line(),
            column: place.column(),
        }
    })
}

#[cfg(test)]
mod tests;
