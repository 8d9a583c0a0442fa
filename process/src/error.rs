//! What can go wrong with a child process. Each message carries the last lines of its stderr where there are any.

use std::io;
use std::time::Duration;

use crate::signal::Signal;

/// Why a program does not run, or does not listen.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system cannot run it.
    #[error("{program} cannot be started ({source}); build it first with `make build`")]
    Spawn {
        /// Its path.
        program: String,
        /// The system's reason.
        source: io::Error,
    },
    /// It ended before it listened.
    #[error("{program} ended before it was ready ({status}): {last_lines}")]
    Ended {
        /// Its name.
        program: String,
        /// Its exit status.
        status: String,
        /// The last lines of its stderr.
        last_lines: String,
    },
    /// It printed no ready line in time.
    #[error("{program} was not ready within {timeout:?}: {last_lines}")]
    NotReady {
        /// Its name.
        program: String,
        /// How long it was given.
        timeout: Duration,
        /// The last lines of its stderr.
        last_lines: String,
    },
    /// It did not end in time.
    #[error(transparent)]
    Wait(#[from] WaitError),
}

/// Why there is no exit status.
#[derive(Debug, thiserror::Error)]
#[error("{program} still runs after {timeout:?}: {last_lines}")]
pub struct WaitError {
    /// Its name.
    pub program: String,
    /// How long it was given.
    pub timeout: Duration,
    /// The last lines of its stderr.
    pub last_lines: String,
}

/// Why a signal was not sent.
#[derive(Debug, thiserror::Error)]
#[error("cannot send {signal} to {program}: {reason}")]
pub struct SignalError {
    /// The program's name.
    pub program: String,
    /// The signal.
    pub signal: Signal,
    /// Why not.
    pub reason: String,
}
