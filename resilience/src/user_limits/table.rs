//! The table of users, and which of them can be forgotten.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use tokio::time::Instant;

use super::quota::{UserLimitError, UserQuota};
use crate::gcra::{Gcra, TryTakeError};

/// Counters of the limits, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UserReport {
    /// Users in the table now.
    pub users: usize,
    /// Users forgotten since the start.
    pub forgotten: u64,
    /// Calls rejected by their user's rate.
    pub over_rate: u64,
    /// Calls rejected by their user's concurrency limit.
    pub over_in_flight: u64,
    /// Calls rejected because the table was full.
    pub table_full: u64,
}

/// The users, and when each of them can be forgotten.
#[derive(Debug)]
pub(super) struct Table<K> {
    quota: UserQuota,
    users: HashMap<Arc<K>, User>,
    /// Users without calls, by the time at which their rate has refilled.
    resting: BTreeMap<RestKey, Arc<K>>,
    next_number: u64,
    report: UserReport,
}

#[derive(Debug)]
struct User {
    /// Distinguishes users whose rate refills at the same instant.
    number: u64,
    bucket: Option<Gcra>,
    in_flight: usize,
    /// The key in `resting`, while the user has no calls.
    rest: Option<RestKey>,
}

type RestKey = (Instant, u64);

impl<K: Hash + Eq> Table<K> {
    pub(super) fn new(quota: UserQuota) -> Self {
        Table { quota, users: HashMap::new(), resting: BTreeMap::new(), next_number: 0, report: UserReport::default() }
    }

    /// Counts a call and returns the key for [`Table::leave`].
    pub(super) fn enter(&mut self, key: K, now: Instant) -> Result<Arc<K>, UserLimitError> {
        self.forget_rested(now);
        let key = match self.users.get_key_value(&key) {
            Some((known, _)) => Arc::clone(known),
            None => self.add(key, now)?,
        };
        let Some(user) = self.users.get_mut(&key) else { unreachable!("known, or just added") };
        if let Some(limit) = self.quota.max_in_flight.filter(|limit| user.in_flight >= limit.get()) {
            self.report.over_in_flight += 1;
            return Err(UserLimitError::InFlight { limit: limit.get() });
        }
        if let Some(Err(TryTakeError::NotYet { ready_at })) = user.bucket.as_mut().map(|bucket| bucket.try_take(1, now))
        {
            self.report.over_rate += 1;
            return Err(UserLimitError::Rate { retry_after: ready_at - now });
        }
        user.in_flight += 1;
        if let Some(rest) = user.rest.take() {
            self.resting.remove(&rest);
        }
        Ok(key)
    }

    pub(super) fn leave(&mut self, key: &Arc<K>, now: Instant) {
        let Some(user) = self.users.get_mut(key) else { unreachable!("users with calls are not forgotten") };
        user.in_flight -= 1;
        if user.in_flight == 0 {
            let rested_at = user.bucket.as_ref().map_or(now, Gcra::full_at);
            let rest = (rested_at, user.number);
            user.rest = Some(rest);
            self.resting.insert(rest, Arc::clone(key));
        }
    }

    pub(super) fn report(&self) -> UserReport {
        UserReport { users: self.users.len(), ..self.report }
    }

    /// Forgets at most two users. A call adds at most one, so the table shrinks to the users that cannot be forgotten, and
    /// no call has to sweep it.
    fn forget_rested(&mut self, now: Instant) {
        for _ in 0..2 {
            let Some(first) = self.resting.first_entry().filter(|first| first.key().0 <= now) else { return };
            self.users.remove(&first.remove());
            self.report.forgotten += 1;
        }
    }

    fn add(&mut self, key: K, now: Instant) -> Result<Arc<K>, UserLimitError> {
        if self.users.len() >= self.quota.max_users.get() {
            self.report.table_full += 1;
            let first_rested = self.resting.first_key_value().map(|((rested_at, _), _)| *rested_at);
            return Err(UserLimitError::TooManyUsers { retry_after: first_rested.map(|at| at - now) });
        }
        let key = Arc::new(key);
        let bucket = self.quota.rate.map(|(rate, burst)| Gcra::new(rate, burst, now));
        let user = User { number: self.next_number, bucket, in_flight: 0, rest: None };
        self.next_number += 1;
        self.users.insert(Arc::clone(&key), user);
        Ok(key)
    }
}
