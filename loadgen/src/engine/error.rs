//! Why a lab could not be completed.

use std::time::Duration;

use crate::vendor;
use process::{StartError, SupervisorError};

/// Why a lab has no result.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A program did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A program under supervision did not start.
    #[error("{0} under supervision: {1}")]
    Supervisor(String, SupervisorError),
    /// Not all replicas became ready.
    #[error("{ready} of {replicas} replicas were ready after {limit:?}")]
    NotReady {
        /// Replicas that the balancer found ready.
        ready: u64,
        /// Replicas.
        replicas: u64,
        /// How long they were given.
        limit: Duration,
    },
    /// A program ended while it was needed.
    #[error("{0}")]
    Ended(String),
    /// No port could be reserved for the address without a vendor.
    #[error("cannot reserve a port: {0}")]
    NoPort(std::io::Error),
    /// An action of the lab failed.
    #[error("{what} failed: {why}")]
    Action {
        /// The request or the signal.
        what: String,
        /// The cause.
        why: String,
    },
    /// The system does not allow enough open descriptors.
    #[error(
        "this lab needs {needed} file descriptors per process, but the limit is {limit}; raise it with `ulimit -n {needed}`"
    )]
    Descriptors {
        /// Descriptors that are needed.
        needed: u64,
        /// Descriptors that are allowed.
        limit: u64,
    },
    /// The vendor's ledger could not be read.
    #[error("cannot read the vendor's ledger: {0}")]
    Ledger(#[from] vendor::LedgerError),
}
