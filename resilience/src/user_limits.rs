//! A rate and a concurrency limit for each user, in a bounded table.

use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

mod quota;
mod table;

pub use quota::{UserLimitError, UserQuota};
use table::Table;
pub use table::UserReport;

/// Limits per user, so that one user cannot fill the queue that all share. A call over its user's limit is rejected at
/// once instead of queued.
///
/// A user is any key that can be hashed. The table of users is bounded. A user without calls whose rate has fully
/// refilled is forgotten when others come: a new entry would decide the same. When the table is full and no user in it
/// can be forgotten, new users are rejected and counted. The alternatives are worse: without an entry a new user has no
/// limit, and forgetting another one lifts that one's. So set `max_users` above the number of users that can be active
/// within the time in which a burst refills. An entry takes about 400 bytes with a short key.
///
/// If one kind of user is free to create (addresses) and another is not (keys), give each kind its own limits: in one
/// table the first could crowd out the second.
///
/// A call that passes here and is rejected later has still used the user's rate.
///
/// ```
/// use std::num::{NonZeroU64, NonZeroUsize};
/// use resilience::{UserLimitError, UserLimits, UserQuota};
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
    /// A std mutex: it is held for a look-up and a few additions, never across an `.await`.
    table: Arc<Mutex<Table<K>>>,
}

impl<K: Hash + Eq> UserLimits<K> {
    /// Limits with an empty table. Clones share the table.
    #[must_use]
    pub fn new(quota: UserQuota) -> Self {
        UserLimits { table: Arc::new(Mutex::new(Table::new(quota))) }
    }

    /// Lets a call of this user pass or rejects it. Never waits. A rejected call uses none of the limits.
    ///
    /// # Errors
    /// [`UserLimitError`].
    pub fn try_enter(&self, user: K) -> Result<UserGuard<K>, UserLimitError> {
        let user = lock(&self.table).enter(user, Instant::now())?;
        Ok(UserGuard { table: Arc::clone(&self.table), user })
    }

    /// The counters now.
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

/// One call of a user, in flight until this is dropped.
#[derive(Debug)]
#[must_use = "dropping it ends the call"]
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
    // Only the key's own hash could panic while it is held, before anything is changed.
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU64, NonZeroUsize};
    use std::time::Duration;

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
    async fn a_user_at_the_limit_does_not_affect_others() {
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
    async fn a_call_rejected_by_concurrency_uses_no_rate() {
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
    async fn a_new_user_replaces_a_rested_user_and_no_other() {
        let limits = limits(Some("1/1s"), 0, 2);
        let busy = limits.try_enter("busy").unwrap();
        drop(limits.try_enter("resting"));
        let full = UserLimitError::TooManyUsers { retry_after: Some(SECOND) };
        assert_eq!(limits.try_enter("new_user").unwrap_err(), full);
        advance(SECOND).await;
        let new_user = limits.try_enter("new_user").unwrap();
        assert_eq!(limits.try_enter("resting").unwrap_err(), UserLimitError::TooManyUsers { retry_after: None });
        assert_eq!(limits.report(), UserReport { users: 2, forgotten: 1, table_full: 2, ..UserReport::default() });
        drop((busy, new_user));
    }

    #[tokio::test(start_paused = true)]
    async fn a_forgotten_user_that_returns_has_the_same_limits() {
        let limits = limits(None, 1, 1);
        for user in ["alice", "bob", "alice"] {
            let call = limits.try_enter(user).unwrap();
            assert_eq!(limits.try_enter(user).unwrap_err(), UserLimitError::InFlight { limit: 1 });
            drop(call);
        }
        assert_eq!(limits.report().forgotten, 2);
    }
}
