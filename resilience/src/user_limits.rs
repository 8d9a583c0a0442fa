//! A rate and a number of calls for each user apart, in a bounded table.

use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

mod quota;
mod table;

pub use quota::{UserLimitError, UserQuota};
use table::Table;
pub use table::UserReport;

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
/// /// use resilience::{UserLimits, UserQuota, UserLimitError};
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
