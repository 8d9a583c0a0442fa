//! Why a command has no verdict, and its exit code.

use crate::engine::LabError;
use crate::http::EndpointError;
use crate::vendor::LedgerError;
use crate::verdict::ObjectiveError;

/// Exit code for bad usage, as clap has it.
pub const EXIT_USAGE: u8 = 2;
/// Exit code of a run that proves nothing.
pub const EXIT_INVALID: u8 = 3;

/// Why a command has no verdict.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A URL that is no target.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// An objective that cannot be read.
    #[error(transparent)]
    Objective(#[from] ObjectiveError),
    /// Arguments that contradict each other.
    #[error("{0}")]
    Usage(String),
    /// A lab that could not be run to its end.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// Nobody answers at the URL.
    #[error("no server answers at {url}: {why}")]
    NoServer {
        /// The URL.
        url: String,
        /// What happened.
        why: String,
    },
    /// A health check that fails while the server is idle.
    #[error("GET {path} {why} before any load: name your health check with {flag}")]
    HealthBeforeLoad {
        /// Its path.
        path: String,
        /// How it failed.
        why: String,
        /// The flag that names it.
        flag: &'static str,
    },
    /// The system does not allow enough open descriptors.
    #[error("this needs {needed} open descriptors, the limit is {limit}: raise it (`ulimit -n {needed}`)")]
    Descriptors {
        /// How many.
        needed: u64,
        /// How many there are.
        limit: u64,
    },
    /// The vendor's ledger cannot be read.
    #[error("the vendor's ledger cannot be read: {0}")]
    Ledger(#[from] LedgerError),
    /// The result file cannot be written.
    #[error("cannot write {path}: {source}")]
    Out {
        /// The file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// This program does not know where it is.
    #[error("cannot find the programs: {0}")]
    ProgramDir(std::io::Error),
}

impl CommandError {
    /// 2 for what the user asked, 3 for what kept the run from being one.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            CommandError::Endpoint(_) | CommandError::Objective(_) | CommandError::Usage(_) => EXIT_USAGE,
            _ => EXIT_INVALID,
        }
    }
}
