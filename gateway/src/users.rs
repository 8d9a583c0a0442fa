//! Users, and the limits of each.

use std::hash::Hash;
use std::net::IpAddr;

use resilience::{UserGuard, UserLimitError, UserLimits};

use crate::PerUserLimits;

/// The user of a request, for the limits of each user; `K` is the owner of a key. It is nothing that a client can choose
/// freely, such as a name in a header: it could then choose its limit as well.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum User<K> {
    /// The owner of the key, on routes that take one.
    Key(K),
    /// The address of the peer, on routes without a key. Behind a proxy that is the proxy's: limit users there, or
    /// give them keys.
    Address(IpAddr),
}

/// A user's permit, for one request, until it is dropped.
pub type UserPermit<K> = UserGuard<User<K>>;

/// The limits of each user, in a table of keys and a table of addresses. With one table, a client with a few
/// thousand addresses could fill it, and users with keys would be rejected.
#[derive(Debug)]
pub struct Users<K: Hash + Eq> {
    keys: UserLimits<User<K>>,
    addresses: UserLimits<User<K>>,
}

impl<K: Hash + Eq> Users<K> {
    /// None if no user is limited.
    #[must_use]
    pub fn new(limits: &PerUserLimits) -> Option<Self> {
        limits.quota().map(|quota| Users { keys: UserLimits::new(quota), addresses: UserLimits::new(quota) })
    }

    /// Admits or rejects a call of this user. It never waits.
    ///
    /// # Errors
    /// [`UserLimitError`].
    pub fn try_enter(&self, user: User<K>) -> Result<UserPermit<K>, UserLimitError> {
        let table = match user {
            User::Key(_) => &self.keys,
            User::Address(_) => &self.addresses,
        };
        table.try_enter(user)
    }

    /// Users that are tracked now.
    #[must_use]
    pub fn count(&self) -> usize {
        self.keys.report().users + self.addresses.report().users
    }
}

#[cfg(test)]
mod tests {
    use std::mem::discriminant;
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use clap::{Args, Command, FromArgMatches};

    use super::*;

    fn users(flags: &[&str]) -> Option<Users<u8>> {
        let given = PerUserLimits::augment_args(Command::new("server")).get_matches_from([&["server"], flags].concat());
        Users::new(&PerUserLimits::from_arg_matches(&given).unwrap())
    }

    const LIMITED: [&str; 6] = ["--user-max-in-flight", "2", "--user-rate-limit", "3/1h", "--max-users", "4"];

    proptest! {
        /// Whatever the addresses do, each call with a key is answered as if there were none.
        #[test]
        fn calls_from_addresses_do_not_affect_calls_with_keys(calls in proptest::collection::vec((any::<bool>(), 0_u8..8), 1..200)) {
            let (both, keys_alone) = (users(&LIMITED).unwrap(), users(&LIMITED).unwrap());
            // Kept to the end: only users with a call in flight fill a table.
            let mut held = Vec::new();
            for (of_a_key, number) in calls {
                if of_a_key {
                    let key = User::Key(number);
                    let (answer, expected) = (both.try_enter(key.clone()), keys_alone.try_enter(key));
                    let kind = |answer: &Result<_, UserLimitError>| answer.as_ref().err().map(discriminant);
                    prop_assert_eq!(kind(&answer), kind(&expected));
                    held.extend([answer, expected].into_iter().flatten());
                } else {
                    let address = User::Address(IpAddr::V4(Ipv4Addr::new(127, 0, 0, number)));
                    held.extend(both.try_enter(address));
                }
            }
            prop_assert!(both.count() <= 8);
        }
    }

    #[test]
    fn without_user_limits_no_user_is_tracked() {
        assert!(users(&[]).is_none());
    }
}
