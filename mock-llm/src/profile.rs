//! Presets of settings.

use std::time::Duration;

use clap::ValueEnum;

use crate::latency::{Delay, Distribution};
use crate::quota::Quota;
use crate::settings::{Quotas, Settings};

/// A preset of settings. Flags and calls of the builder override single ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// A small model nearby: 30 tokens, the first after 20 ms, then one every 5 ms
    Fast,
    /// A large chat model: 200 tokens, the first after about 400 ms, then 40 per second
    Chat,
    /// A reasoning model: 1,200 tokens, the first after about 8 s, then 50 per second
    Reasoning,
    /// Fast answers, but a quota of 6,000 tokens in any 2 s: of twelve calls in a row the third gets 429
    RapidSequence,
}

impl Profile {
    /// The settings of the preset.
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
            // The twelve calls have 24,944 tokens, the first three 666, 2,335 and 4,058: two fit, the third does not.
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
