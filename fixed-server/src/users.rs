//! The limits of each user.

use resilience::{Rate, UserGuard, UserLimitError, UserLimits, UserQuota};

use crate::identity::User;
use crate::settings::Limits;

/// The limits of each user, in a table of keys and a table of addresses. With one table, a client with a few
/// thousand addresses could fill it, and users with keys would be rejected.
#[derive(Debug)]
pub(crate) struct Users {
    keys: UserLimits<User>,
    addresses: UserLimits<User>,
}

impl Users {
    /// None if no user is limited. A user's whole rate may be used at once: it is a share of this server's capacity,
    /// not the vendor's quota.
    pub(crate) fn new(limits: &Limits) -> Option<Self> {
        let rate = |rate: Rate| Some((rate, rate.amount().try_into().ok()?));
        let quota = UserQuota {
            rate: limits.user_rate_limit.0.and_then(rate),
            max_in_flight: limits.user_max_in_flight.0,
            max_users: limits.max_users,
        };
        let limited = quota.rate.is_some() || quota.max_in_flight.is_some();
        limited.then(|| Users { keys: UserLimits::new(quota), addresses: UserLimits::new(quota) })
    }

    /// Admits or rejects a call of this user. It never waits.
    ///
    /// # Errors
    /// [`UserLimitError`].
    pub(crate) fn try_enter(&self, user: &User) -> Result<UserGuard<User>, UserLimitError> {
        let table = match user {
            User::Key(_) => &self.keys,
            User::Address(_) => &self.addresses,
        };
        table.try_enter(user.clone())
    }

    /// Users that are tracked now.
    pub(crate) fn count(&self) -> usize {
        self.keys.report().users + self.addresses.report().users
    }
}

#[cfg(test)]
mod tests {
    use std::mem::discriminant;
    use std::net::{IpAddr, Ipv4Addr};

    use proptest::prelude::*;

    use super::*;
    use crate::sessions::KeyId;
    use crate::settings::Settings;

    fn users() -> Users {
        let flags = ["--user-max-in-flight", "2", "--user-rate-limit", "3/1h", "--max-users", "4"];
        Users::new(&Settings::read([&["fixed-server"], &flags[..]].concat()).unwrap().limits).unwrap()
    }

    proptest! {
        /// Whatever the addresses do, each call with a key is answered as if there were none.
        #[test]
        fn calls_from_addresses_do_not_affect_calls_with_keys(calls in proptest::collection::vec((any::<bool>(), 0_u8..8), 1..200)) {
            let (both, keys_alone) = (users(), users());
            // Kept to the end: only users with a call in flight fill a table.
            let mut held = Vec::new();
            for (of_a_key, number) in calls {
                if of_a_key {
                    let key = User::Key(KeyId::for_test(&number.to_string()));
                    let (answer, expected) = (both.try_enter(&key), keys_alone.try_enter(&key));
                    let kind = |answer: &Result<_, UserLimitError>| answer.as_ref().err().map(discriminant);
                    prop_assert_eq!(kind(&answer), kind(&expected));
                    held.extend([answer, expected].into_iter().flatten());
                } else {
                    let address = User::Address(IpAddr::V4(Ipv4Addr::new(127, 0, 0, number)));
                    held.extend(both.try_enter(&address));
                }
            }
            prop_assert!(both.count() <= 8);
        }
    }

    #[test]
    fn without_user_limits_no_user_is_tracked() {
        assert!(Users::new(&Settings::read(["fixed-server"]).unwrap().limits).is_none());
    }
}
