//! What each user may do, and why a call is rejected.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use crate::rate::Rate;

/// What each user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserQuota {
    /// Calls of one user: their rate, and how many may come at once after a pause.
    pub rate: Option<(Rate, NonZeroU64)>,
    /// Calls of one user at the same time.
    pub max_in_flight: Option<NonZeroUsize>,
    /// Users that are remembered at the same time.
    pub max_users: NonZeroUsize,
}

/// Why a user's call was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UserLimitError {
    /// Their rate allows no more now.
    #[error("too many calls of this user")]
    Rate {
        /// Until it does, if they do not call before.
        retry_after: Duration,
    },
    /// They have as many calls under way as they may. When one of them ends, nobody knows.
    #[error("{limit} calls of this user are under way")]
    InFlight {
        /// Most calls of one user at the same time.
        limit: usize,
    },
    /// They are new, and there is no room for one more user.
    #[error("too many users at the same time")]
    TooManyUsers {
        /// Until one of the others can be forgotten, if one is at rest.
        retry_after: Option<Duration>,
    },
}

impl UserLimitError {
    /// When to come back, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match *self {
            UserLimitError::Rate { retry_after } => Some(retry_after),
            UserLimitError::InFlight { .. } => None,
            UserLimitError::TooManyUsers { retry_after } => retry_after,
        }
    }
}
