//! The vendor's quotas, and the rates that keep them.

use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;

use clap::Args;
use resilience::{LimitConflict, Rate};

use crate::model_rate::ModelRate;
use crate::values::{OrOff, at_least_one};

/// The vendor's quota of calls, with the part of it that may be used at once.
#[derive(Debug, Clone, Args)]
pub struct CallQuota {
    /// The vendor's quota of calls, such as `60/1m`: kept in every window of that length. Requests wait.
    #[arg(long, default_value = "off", value_name = "RATE", allow_hyphen_values = true)]
    pub rate_limit: OrOff<Rate>,

    /// Calls that may start at once after a pause; the rest of the quota is spread evenly. Default: a twentieth of
    /// the quota.
    #[arg(long, value_name = "N", requires = "rate_limit", value_parser = at_least_one, allow_hyphen_values = true)]
    pub rate_burst: Option<NonZeroUsize>,

    /// The vendor's quota of calls of one model, such as `gpt-5=60/1m`, on top of --rate-limit. May be repeated. Requests
    /// of that model wait, and hold up those of no other.
    #[arg(long, value_name = "MODEL=RATE", value_delimiter = ',', allow_hyphen_values = true)]
    pub model_rate_limit: Vec<ModelRate>,
}

/// The vendor's quota of tokens, with the part of it that may be used at once.
#[derive(Debug, Clone, Args)]
pub struct TokenQuota {
    /// The vendor's quota of tokens, such as `90000/1m`. A call reserves its prompt and its `max_tokens`; what it
    /// does not use is refunded.
    #[arg(long, default_value = "off", value_name = "RATE", allow_hyphen_values = true)]
    pub token_limit: OrOff<Rate>,

    /// Tokens that may be used at once, and the most that one call may reserve (400). Default: a quarter of the
    /// quota.
    #[arg(long, value_name = "N", requires = "token_limit", value_parser = at_least_one, allow_hyphen_values = true)]
    pub token_burst: Option<NonZeroUsize>,
}

/// A rate, and the burst of it that may be used at once.
pub type Quota = (Rate, NonZeroU64);

/// A model, and the rate and burst of its own.
pub type ModelQuota = (Arc<str>, Quota);

impl CallQuota {
    /// The rate and the burst that keep the quota in *every* window of its length: the burst and what follows evenly
    /// are together no more than the quota. A bucket as large as the quota lets nearly two quotas through in one window.
    #[must_use]
    pub fn kept(&self) -> Option<Quota> {
        self.rate_limit.0.map(|quota| kept(quota, self.rate_burst, 20))
    }

    /// The same for the quota of each model that has one: a twentieth may be used at once.
    #[must_use]
    pub fn kept_of_models(&self) -> Vec<ModelQuota> {
        self.model_rate_limit.iter().map(|of| (of.model.clone(), kept(of.rate, None, 20))).collect()
    }

    /// `model`, if it has a quota of its own.
    #[must_use]
    pub fn limited_model(&self, model: &str) -> Option<Arc<str>> {
        self.model_rate_limit.iter().find(|of| *of.model == *model).map(|of| of.model.clone())
    }

    /// Checks that the burst is smaller than the quota, and that no model has two.
    ///
    /// # Errors
    /// [`LimitConflict`], which names both flags.
    pub fn check(&self) -> Result<(), LimitConflict> {
        let mut of_models = self.model_rate_limit.iter().enumerate();
        let twice = of_models.find_map(|(place, one)| {
            let other = self.model_rate_limit[..place].iter().find(|other| other.model == one.model)?;
            Some((other, one))
        });
        if let Some((one, other)) = twice {
            let flag = |of: &ModelRate| format!("--model-rate-limit {}={}", of.model, of.rate);
            let why = "a model has one quota";
            LimitConflict::require(false, flag(one), "without", flag(other), why)?;
        }
        require_smaller(("--rate-burst", self.rate_burst), ("--rate-limit", self.rate_limit.0))
    }
}

impl TokenQuota {
    /// The same as [`CallQuota::kept`], for tokens, of which one call takes many: a quarter may be used at once.
    #[must_use]
    pub fn kept(&self) -> Option<Quota> {
        self.token_limit.0.map(|quota| kept(quota, self.token_burst, 4))
    }

    /// Checks that the burst is smaller than the quota.
    ///
    /// # Errors
    /// [`LimitConflict`], which names both flags.
    pub fn check(&self) -> Result<(), LimitConflict> {
        require_smaller(("--token-burst", self.token_burst), ("--token-limit", self.token_limit.0))
    }
}

fn require_smaller(
    (flag, burst): (&str, Option<NonZeroUsize>),
    (of, quota): (&str, Option<Rate>),
) -> Result<(), LimitConflict> {
    let (Some(burst), Some(quota)) = (burst, quota) else { return Ok(()) };
    let (inner, outer) = (format!("{flag} ({burst})"), format!("the amount of {of} ({quota})"));
    let why = "otherwise a burst leaves nothing of the quota, and the next one exceeds it";
    LimitConflict::require((burst.get() as u64) < quota.amount(), inner, "less than", outer, why)
}

// ANCHOR: kept
/// `quota` as an even rate and a burst: the one given, or the `share`-th part.
fn kept(quota: Rate, burst: Option<NonZeroUsize>, share: u64) -> Quota {
    let amount = quota.amount();
    let burst = burst.map_or(amount / share, |burst| burst.get() as u64).max(1);
    let burst = NonZeroU64::new(burst).unwrap_or(NonZeroU64::MIN);
    // After a burst, the first call over the quota starts an interval later. It must not reach the vendor sooner,
    // where the calls before it may arrive late: so the rest is spread over a twentieth more.
    let rest = amount.saturating_sub(burst.get() - 1);
    let even = Rate::new(20 * rest, 21 * quota.interval());
    // An interval of hours is too long for that: there, the time of one call is spare enough.
    let even = even.or_else(|_| Rate::new(amount.saturating_sub(burst.get()), quota.interval()));
    (even.unwrap_or(quota), burst)
}
// ANCHOR_END: kept

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use resilience::Gcra;
    use tokio::time::Instant;

    use super::*;

    proptest! {
        /// Against a vendor that counts what came in the last interval, and callers that come at once.
        /// Each may be on its way for up to a twentieth of the interval.
        #[test]
        fn no_window_sees_more_than_the_quota(
            amount in 1_u64..200,
            millis in 100_u64..3000,
            given in proptest::option::of(1_usize..50),
            pauses in proptest::collection::vec(0_u64..4000, 1..6),
            seed in any::<u64>(),
        ) {
            let quota = Rate::new(amount, Duration::from_millis(millis)).unwrap();
            let burst = given.filter(|burst| (*burst as u64) < amount).and_then(NonZeroUsize::new);
            let (rate, burst) = kept(quota, burst, 20);
            let start = Instant::now();
            let (mut bucket, mut now, mut starts) = (Gcra::new(rate, burst, start), start, Vec::new());
            let mut rng = fastrand::Rng::with_seed(seed);
            for pause in pauses {
                now += Duration::from_millis(pause);
                for _ in 0..2 * amount {
                    now = now.max(bucket.ready_at(1).unwrap());
                    bucket.try_take(1, now).unwrap();
                    // Mostly in time or as late as it gets, which is what makes windows full.
                    starts.push(now + quota.interval() / 20 * rng.u32(0..=1));
                }
            }
            starts.sort_unstable();
            for (first, from) in starts.iter().enumerate() {
                let within = starts[first..].iter().take_while(|at| **at - *from < quota.interval()).count();
                prop_assert!(within as u64 <= amount, "{within} of {amount} within {millis} ms");
            }
        }

        #[test]
        fn nine_tenths_of_the_quota_can_be_used(amount in 1_u64..100_000, millis in 100_u64..60_000) {
            let quota = Rate::new(amount, Duration::from_millis(millis)).unwrap();
            let (rate, _) = kept(quota, None, 20);
            prop_assert!(rate.time_for(900) <= quota.time_for(1000));
        }
    }

    #[test]
    fn a_quota_of_a_day_has_the_time_of_one_call_to_spare() {
        for amount in [2, 1000] {
            let quota = Rate::new(amount, Rate::INTERVAL_MAX).unwrap();
            let (rate, burst) = kept(quota, None, 20);
            assert!(rate.time_for(amount + 1 - burst.get()) >= quota.time_for(amount + 1), "{rate}");
        }
    }
}
