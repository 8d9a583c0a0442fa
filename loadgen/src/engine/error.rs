//! Why a lab could not be run to its end.

use crate::vendor;
use process::StartError;

/// Why a lab has no result.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A program does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A program ended while it was needed.
    #[error("{0}")]
    Ended(String),
    /// No port can be taken for a vendor that is not there.
    #[error("cannot take a port: {0}")]
    NoPort(std::io::Error),
    /// A program did not do what the lab told it.
    #[error("{what} was not done: {why}")]
    Action {
        /// The call.
        what: String,
        /// What came of it.
        why: String,
    },
    /// The system does not allow enough open descriptors.
    #[error("this needs {needed} open descriptors a process, the limit is {limit}: raise it (`ulimit -n {needed}`)")]
    Descriptors {
        /// How many.
        needed: u64,
        /// How many there are.
        limit: u64,
    },
    /// The vendor's ledger cannot be read.
    #[error("the vendor's ledger cannot be read: {0}")]
    Ledger(#[from] vendor::LedgerError),
}
