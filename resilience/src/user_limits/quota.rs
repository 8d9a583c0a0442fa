//! The limits of each user, and why a call is rejected.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use crate::rate::Rate;

/// The limits of each user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserQuota {
    /// The rate of a user's calls, and the burst after a pause.
    pub rate: Option<(Rate, NonZeroU64)>,
    /// Concurrent calls of one user.
    pub max_in_flight: Option<NonZeroUsize>,
    /// Users in the table.
    pub max_users: NonZeroUsize,
}

/// Why a user's call was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UserLimitError {
    /// The user's rate allows no more now.
    #[error("the user's rate allows no more now")]
    Rate {
        /// Time until it does, without further calls.
        retry_after: Duration,
    },
    /// The user has as many calls in flight as allowed. When one will end is unknown.
    #[error("{limit} calls of this user are in flight")]
    InFlight {
        /// Most concurrent calls of one user.
        limit: usize,
    },
    /// The user is new and the table is full.
    #[error("too many users at the same time")]
    TooManyUsers {
        /// Time until another user can be forgotten, if one is without calls.
        retry_after: Option<Duration>,
    },
}

impl UserLimitError {
    /// When to come back, if known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match *self {
            UserLimitError::Rate { retry_after } => Some(retry_after),
            UserLimitError::InFlight { .. } => None,
            UserLimitError::TooManyUsers { retry_after } => retry_after,
        }
    }
}
