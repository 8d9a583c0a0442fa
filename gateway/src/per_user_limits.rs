//! The limits of each user.

use std::num::NonZeroUsize;

use clap::Args;
use resilience::{LimitConflict, Rate, UserQuota};

use crate::CallLimits;
use crate::values::{OrOff, at_least_one, at_least_one_or_off};

/// The limits of each user, off by default.
#[derive(Debug, Clone, Args)]
pub struct PerUserLimits {
    /// Requests of one user, such as `60/1m`; all of them may come at once, more are rejected (429). A user is a key, or
    /// on routes without keys an address.
    #[arg(long, default_value = "off", value_name = "RATE")]
    #[arg(allow_hyphen_values = true)]
    pub user_rate_limit: OrOff<Rate>,

    /// Requests of one user at the same time; more are rejected (429).
    #[arg(long, default_value = "off", value_name = "N")]
    #[arg(value_parser = at_least_one_or_off, allow_hyphen_values = true)]
    pub user_max_in_flight: OrOff<NonZeroUsize>,

    /// Users that are remembered, about 400 bytes each: this many keys and as many addresses. A user without a request
    /// under way whose rate is full again makes room for the next; if there is none, that one is rejected (429).
    #[arg(long, default_value = "10000", value_name = "N")]
    #[arg(value_parser = at_least_one, allow_hyphen_values = true)]
    pub max_users: NonZeroUsize,
}

impl PerUserLimits {
    /// The limits in the form in which they are kept; `None` if no user is limited. A user's whole rate may be used at
    /// once: it is a share of this server's capacity, not the vendor's quota.
    #[must_use]
    pub fn quota(&self) -> Option<UserQuota> {
        let rate = |rate: Rate| Some((rate, rate.amount().try_into().ok()?));
        let quota = UserQuota {
            rate: self.user_rate_limit.0.and_then(rate),
            max_in_flight: self.user_max_in_flight.0,
            max_users: self.max_users,
        };
        (quota.rate.is_some() || quota.max_in_flight.is_some()).then_some(quota)
    }

    /// Checks that one user cannot take all permits and the whole queue.
    ///
    /// # Errors
    /// [`LimitConflict`], which names the flags.
    pub fn check(&self, calls: &CallLimits) -> Result<(), LimitConflict> {
        let Some(of_a_user) = self.user_max_in_flight.0 else { return Ok(()) };
        let (running, waiting) = (calls.max_in_flight, calls.max_queued);
        let all = running.get().saturating_add(waiting);
        let (inner, outer) = (
            format!("--user-max-in-flight ({of_a_user})"),
            format!("--max-in-flight ({running}) and --max-queued ({waiting}) together"),
        );
        let why = "otherwise one user can fill both, and is never rejected";
        LimitConflict::require(of_a_user.get() <= all, inner, "at most", outer, why)
    }
}
