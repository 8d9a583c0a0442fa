//! Vendors by name.

use std::time::Duration;

use clap::ValueEnum;

use crate::latency::{Delay, Distribution};
use crate::quota::Quota;
use crate::settings::{Quotas, Settings};

/// A vendor by name: settings to start from. What is said besides changes single ones of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// A small model next door: 30 tokens, the first after 20 ms, one every 5 ms
    Fast,
    /// A large chat model: 200 tokens, the first after some 400 ms, 40 a second
    Chat,
    /// A model that thinks first: 1,200 tokens, the first after some 8 s, 50 a second
    Reasoning,
    /// Short answers at once, but only 6,000 tokens in any 2 s: twelve calls in a row end at the third
    RapidSequence,
}

impl Profile {
    /// The settings that the name stands for.
    #[must_use]
    pub fn settings(self) -> Settings {
        let settings = Settings::default();
        match self {
            Profile::Fast => Settings { tokens: 30, ttft: constant(20), inter_token: constant(5), ..settings },
            Profile::Chat => Settings {
                tokens: 200,
                ttft: Delay { distribution: Distribution::Lognormal(0.4), ..constant(400) },
                prefill_per_token: Duration::from_micros(100),
                inter_token: Delay { distribution: Distribution::Normal(0.3), ..constant(25) },
                ..settings
            },
            Profile::Reasoning => Settings {
                tokens: 1_200,
                ttft: Delay { distribution: Distribution::Lognormal(0.5), ..constant(8_000) },
                prefill_per_token: Duration::from_micros(200),
                inter_token: Delay { distribution: Distribution::Normal(0.3), ..constant(20) },
                ..settings
            },
            // The sequence is 666, 2,335 and 4,058 tokens, then nine more calls, 24,944 tokens in
            // all: the first two fit, the third does not.
            Profile::RapidSequence => Settings {
                tokens: 512,
                ttft: constant(50),
                prefill_per_token: Duration::from_micros(20),
                inter_token: constant(1),
                quotas: Quotas {
                    tokens: Some(Quota { limit: 6_000, interval: Duration::from_secs(2) }),
                    ..Quotas::default()
                },
                ..settings
            },
        }
    }
}

fn constant(milliseconds: u64) -> Delay {
    Delay::constant(Duration::from_millis(milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_valid() {
        for profile in Profile::value_variants() {
            assert_eq!(profile.settings().check(), Ok(()), "{profile:?}");
        }
    }
}
