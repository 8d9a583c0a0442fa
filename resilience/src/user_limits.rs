//! A rate and a number of calls for each user apart, in a bounded table.

use std::hash::Hash;
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::rate::Rate;

mod table;

use table::Table;

/// Limits for each user apart, so that one of them cannot fill the queue that all of them share.
/// Whoever is over a limit is rejected at once: a place in that queue is what they are kept from.
///
/// Users are told apart by any key that can be hashed. The table of them is bounded. A user without
/// calls, whose rate has fully refilled, is forgotten when others come: a new entry would decide the
/// same. When the table is full and nobody in it can be forgotten, newcomers are rejected, and
/// counted. The alternatives are worse: without an entry a newcomer has no limit, and forgetting
/// somebody else lifts theirs. So let `max_users` be more than can be busy within the time in which a
/// burst refills; an entry takes some 400 bytes with a short key.
///
/// Where one kind of users can be had for nothing, as addresses can, and another cannot, as keys, give each kind
/// limits of its own: in one table the first would leave the second no room.
///
/// A call that is let in here and rejected further on has used the user's rate all the same.
///
/// ```
/// use std::num::{NonZeroU64, NonZeroUsize};
/// use resilience::{UserLimits, UserQuota, UserLimitError};
///
/// let limits = UserLimits::new(UserQuota {
///     rate: Some(("60/1m".parse().unwrap(), NonZeroU64::new(10).unwrap())),
///     max_in_flight: NonZeroUsize::new(1),
///     max_users: NonZeroUsize::new(10_000).unwrap(),
/// });
/// let call = limits.try_enter("alice").unwrap();
/// assert_eq!(limits.try_enter("alice").unwrap_err(), UserLimitError::InFlight { limit: 1 });
/// assert!(limits.try_enter("bob").is_ok());
/// drop(call); // at the end of the call, or of its stream
/// assert!(limits.try_enter("alice").is_ok());
/// ```
#[derive(Debug)]
pub struct UserLimits<K: Hash + Eq> {
    /// A std mutex: it is held for a look-up and a few additions, never over an `.await`.
    table: Arc<Mutex<Table<K>>>,
}

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

/// What the limits have done, for those who watch them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UserReport {
    /// Users that are remembered now.
    pub users: usize,
    /// Users that were ever forgotten.
    pub forgotten: u64,
    /// Calls rejected by their user's rate.
    pub over_rate: u64,
    /// Calls rejected by their user's calls under way.
    pub over_in_flight: u64,
    /// Calls rejected because the table was full.
    pub table_full: u64,
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

impl<K: Hash + Eq> UserLimits<K> {
    /// Limits that know nobody yet. Clones share the table.
    #[must_use]
    pub fn new(quota: UserQuota) -> Self {
        UserLimits { table: Arc::new(Mutex::new(Table::new(quota))) }
    }

    /// Lets a call of this user in, or not. It never waits. Of a call that is rejected no limit takes
    /// note: neither does it use up rate.
    ///
    /// # Errors
    /// [`UserLimitError`].
    pub fn try_enter(&self, user: K) -> Result<UserGuard<K>, UserLimitError> {
        let user = lock(&self.table).enter(user, Instant::now())?;
        Ok(UserGuard { table: Arc::clone(&self.table), user })
    }

    /// How they stand.
    #[must_use]
    pub fn report(&self) -> UserReport {
        lock(&self.table).report()
    }
}

impl<K: Hash + Eq> Clone for UserLimits<K> {
    fn clone(&self) -> Self {
        UserLimits { table: Arc::clone(&self.table) }
    }
}

/// One call of a user, under way until this is dropped.
#[derive(Debug)]
#[must_use = "dropped at once, the call counts as over"]
pub struct UserGuard<K: Hash + Eq> {
    table: Arc<Mutex<Table<K>>>,
    user: Arc<K>,
}

impl<K: Hash + Eq> Drop for UserGuard<K> {
    fn drop(&mut self) {
        lock(&self.table).leave(&self.user, Instant::now());
    }
}

fn lock<K: Hash + Eq>(table: &Mutex<Table<K>>) -> MutexGuard<'_, Table<K>> {
    // What could panic while it is held is the key's own hash, before anything is changed.
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits(rate: Option<&str>, max_in_flight: usize, max_users: usize) -> UserLimits<&'static str> {
        UserLimits::new(UserQuota {
            rate: rate.map(|rate| (rate.parse().unwrap(), NonZeroU64::new(2).unwrap())),
            max_in_flight: NonZeroUsize::new(max_in_flight),
            max_users: NonZeroUsize::new(max_users).unwrap(),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn one_user_at_the_limit_is_no_matter_to_the_others() {
        let limits = limits(Some("1/1s"), 0, 10);
        for _ in 0..2 {
            drop(limits.try_enter("greedy"));
        }
        assert_eq!(limits.try_enter("greedy").unwrap_err(), UserLimitError::Rate { retry_after: SECOND });
        assert!(limits.try_enter("modest").is_ok());
        advance(SECOND).await;
        assert!(limits.try_enter("greedy").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_rejected_for_those_under_way_uses_no_rate() {
        let limits = limits(Some("1/1m"), 1, 10);
        let call = limits.try_enter("alice").unwrap();
        for _ in 0..5 {
            assert_eq!(limits.try_enter("alice").unwrap_err(), UserLimitError::InFlight { limit: 1 });
        }
        drop(call);
        assert!(limits.try_enter("alice").is_ok());
        let report = UserReport { users: 1, over_in_flight: 5, ..UserReport::default() };
        assert_eq!(limits.report(), report);
    }

    #[tokio::test(start_paused = true)]
    async fn a_newcomer_takes_the_place_of_a_user_at_rest_and_of_no_other() {
        let limits = limits(Some("1/1s"), 0, 2);
        let busy = limits.try_enter("busy").unwrap();
        drop(limits.try_enter("resting"));
        let full = UserLimitError::TooManyUsers { retry_after: Some(SECOND) };
        assert_eq!(limits.try_enter("newcomer").unwrap_err(), full);
        advance(SECOND).await;
        let newcomer = limits.try_enter("newcomer").unwrap();
        assert_eq!(limits.try_enter("resting").unwrap_err(), UserLimitError::TooManyUsers { retry_after: None });
        assert_eq!(limits.report(), UserReport { users: 2, forgotten: 1, table_full: 2, ..UserReport::default() });
        drop((busy, newcomer));
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_back_after_being_forgotten_is_as_before() {
        let limits = limits(None, 1, 1);
        for user in ["alice", "bob", "alice"] {
            let call = limits.try_enter(user).unwrap();
            assert_eq!(limits.try_enter(user).unwrap_err(), UserLimitError::InFlight { limit: 1 });
            drop(call);
        }
        assert_eq!(limits.report().forgotten, 2);
    }
}
