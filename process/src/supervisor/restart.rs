//! Why a program under supervision was restarted, or was not.

use std::time::{Duration, Instant};

use crate::error::StartError;

/// A program that ended and was, or is about to be, started again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// When it had failed its probes, before it was stopped, or had ended by itself.
    pub at: Instant,
    /// Why it ended.
    pub cause: Cause,
    /// The last failed probe and the exit status, or the exit status and the last lines.
    pub detail: String,
    /// How long the restart waited.
    pub back_off: Duration,
}

/// Why a program under supervision ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The supervisor stopped it, because too many probes in a row had failed.
    Liveness,
    /// By itself, or it did not listen in time.
    Ended,
}

/// Why there is nothing to supervise.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// The program ended too often.
    #[error("it ended {ends} times in a row, without a successful probe in between; the last time: {detail}")]
    GaveUp {
        /// How often.
        ends: u32,
        /// Its last exit status and last lines.
        detail: String,
    },
    /// The system cannot run it.
    #[error(transparent)]
    Start(#[from] StartError),
}
