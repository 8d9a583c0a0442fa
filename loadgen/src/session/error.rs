//! What a session refuses.

use process::StartError;

use super::SessionArm;
use crate::numbers::count;

/// Why a session does not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// broken-server cannot be run.
    #[error(transparent)]
    Start(#[from] StartError),
    /// broken-server does not list its mistakes.
    #[error("`broken-server --list` names no mistake: {0}")]
    NoMistakes(String),
    /// There is no such mistake.
    #[error("there is no mistake '{name}'{meant} The mistakes are: {known}")]
    UnknownMistake {
        /// What was asked for.
        name: String,
        /// The name that was probably meant, as a question.
        meant: String,
        /// All names.
        known: String,
    },
    /// More streams than this machine has descriptors for, or than a session opens.
    #[error("{} streams are too many: at most {} are possible. {reason}", count((*asked).into()), count((*max).into()))]
    TooManyStreams {
        /// What was asked for.
        asked: u32,
        /// The most.
        max: u32,
        /// What limits them, and what can be done.
        reason: String,
    },
    /// The arm does not run.
    #[error("{0} is not running")]
    NotRunning(SessionArm),
    /// Too many health checks by hand have no answer yet.
    #[error("{waiting} health checks of {arm} have no answer yet: wait until they are answered or time out")]
    TooManyChecks {
        /// The arm.
        arm: SessionArm,
        /// How many.
        waiting: usize,
    },
}
