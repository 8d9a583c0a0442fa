//! What can be wrong with a result file, in words for people: what it is, and what to do about it.

use std::io;
use std::path::Path;

use crate::result::SCHEMA_VERSION;

/// A result file that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct ReadError {
    /// The file, as it was named.
    pub file: String,
    /// What is wrong with it.
    pub problem: Problem,
}

impl ReadError {
    pub(super) fn new(path: &Path, problem: Problem) -> Self {
        ReadError { file: printable(&path.display().to_string()), problem }
    }
}

/// What is wrong with a result file. Lines and columns count from 1.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// There is no file of this name.
    #[error("there is no such file; the commands write one with --out FILE")]
    Missing,
    /// It is a folder.
    #[error("it is a folder; name the result files in it")]
    Folder,
    /// The system does not allow to read it.
    #[error("permission denied; make it readable (`chmod u+r`), or run as the user who owns it")]
    Denied,
    /// The system cannot read it.
    #[error("it cannot be read: {0}")]
    Io(io::Error),
    /// It is no regular file, and was still not at its end after a while.
    #[error("it had not ended after {waited_s} s; write the result to a regular file and name that")]
    Endless {
        /// How long it was waited for, in seconds.
        waited_s: u64,
    },
    /// It is larger than any result.
    #[error("it is larger than {max_mb} MB, the most that is read; no result is, so name another file")]
    TooLarge {
        /// Most that is read, in millions of bytes.
        max_mb: u64,
    },
    /// It has nothing in it.
    #[error("it is empty: nothing was written, or the disk was full; run the command again with --out")]
    Empty,
    /// Its end is missing.
    #[error(
        "it ends too early, at line {line}, column {column}: it was not written or copied whole; \
         copy it again, or run the command again with --out"
    )]
    Truncated {
        /// Its last line.
        line: usize,
        /// The end of that line.
        column: usize,
    },
    /// It is a page, not JSON.
    #[error("it is a page, not JSON; name the file that --out wrote")]
    Page,
    /// It is no JSON.
    #[error("it is no JSON: {what} at line {line}, column {column}; name a file that --out wrote")]
    NotJson {
        /// What is wrong there.
        what: String,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// It has a number that JSON does not have.
    #[error(
        "{value} at line {line}, column {column} is no number in JSON; \
         run the command again with --out, or use the original if the file was changed"
    )]
    NotFinite {
        /// `NaN`, `-Infinity`, `1e999`.
        value: String,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// Its values are nested deeper than those of a result, or than can be read.
    #[error("it is nested too deeply, at line {line}, column {column}; no result is, so name another file")]
    TooDeep {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// An object has the same key twice, and either could be meant.
    #[error(
        "{key} stands twice, the second time at line {line}, column {column}; \
         run the command again with --out, or use the original if the file was changed"
    )]
    Twice {
        /// The path of the key: `arms.broken`.
        key: String,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// It is JSON of something else.
    #[error("it is JSON, but no result of loadgen: {why}; name a file that --out wrote")]
    NotAResult {
        /// What is missing.
        why: &'static str,
    },
    /// It has a version that came after this program.
    #[error(
        "it has schema_version {found}, and this loadgen reads {}: update loadgen (git pull, then make build)",
        SCHEMA_VERSION
    )]
    Newer {
        /// Its version.
        found: u32,
    },
    /// It has a version that this program no longer reads.
    #[error(
        "it has schema_version {found}, and this loadgen reads {}: run the command again with --out, \
         or read it with the loadgen that wrote it",
        SCHEMA_VERSION
    )]
    Older {
        /// Its version.
        found: u32,
    },
    /// A field is missing, or has a value that it cannot have.
    #[error(
        "{field}: {what} (line {line}, column {column}); \
         run the command again with --out, or use the original if the file was changed"
    )]
    Field {
        /// The path of the field: `arms.broken.probes.health_sync.sent`.
        field: String,
        /// What is wrong with it.
        what: String,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// It has the figures of no server.
    #[error("{place}it has neither `arms` nor a `target`, so no figures; run the command again with --out")]
    NoArms {
        /// `labs.pool-exhaustion: ` in a file with several labs.
        place: String,
    },
    /// It is of `diagnose`, and has not what that found.
    #[error(
        "it is of `loadgen diagnose`, and needs both `diagnosis` and `target`; run the command again with --out, \
         or use the original if the file was changed"
    )]
    NoDiagnosis,
    /// A claim is about an arm that is not in the file.
    #[error(
        "{place}the arm `{arm}` is missing, and the claim '{claim}' is about it; \
         run the command again with --out, or use the original if the file was changed"
    )]
    MissingArm {
        /// As in `NoArms`.
        place: String,
        /// The name of the arm.
        arm: String,
        /// The claim.
        claim: String,
    },
    /// It should have several labs and has none.
    #[error("it has no labs, and no reason why none was run; run the command again with --out")]
    NoLabs,
}

/// `text` as it may be shown on a terminal: a file may hold anything.
pub(super) fn printable(text: &str) -> String {
    const CHARACTERS_MAX: usize = 200;
    let mut shown: String = text
        .chars()
        .take(CHARACTERS_MAX)
        .map(|shown| if shown.is_control() { char::REPLACEMENT_CHARACTER } else { shown })
        .collect();
    if text.chars().nth(CHARACTERS_MAX).is_some() {
        shown.push('…');
    }
    shown
}
