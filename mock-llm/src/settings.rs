//! What a vendor is told to be like.

use std::time::Duration;

use wire::VENDOR_BODY_BYTES_MAX;
use wire::byte_size::ByteSize;
use wire::chat::MAX_TOKENS_MAX;

use crate::faults::Rule;
use crate::latency::{DELAY_MAX, Delay};
use crate::quota::Quota;

/// What a vendor is told to be like. The command line and the builder both end here, so that what
/// one of them can do the other can too.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Tokens of an answer, where the request allows that many; 1 to [`MAX_TOKENS_MAX`].
    pub tokens: u32,
    /// From taking a request up to its first token, for a prompt of no length.
    pub ttft: Delay,
    /// What each token of the prompt adds to the mean of `ttft`.
    pub prefill_per_token: Duration,
    /// From one token to the next.
    pub inter_token: Delay,
    /// Answers made at once; further ones wait for a slot, first come, first served.
    pub slots: Option<u32>,
    /// How many times as long delays are when all slots are busy, 1 to 100; proportionally less
    /// when only some are.
    pub slowdown: f64,
    /// What is let in.
    pub quotas: Quotas,
    /// What goes wrong.
    pub faults: Vec<Rule>,
    /// The models that `/v1/models` lists.
    pub models: Vec<String>,
    /// Whether a model that is not listed is answered with 404, as the real API does. Otherwise any
    /// name will do.
    pub strict_models: bool,
    /// The key that requests under `/v1` must have, if any.
    pub api_key: Option<String>,
    /// Largest body of a request for a completion; over it 413.
    pub max_body_bytes: ByteSize,
    /// Where every random choice comes from: the same seed and the same order of requests give the
    /// same answers, delays and faults.
    pub seed: u64,
}

/// How much is let in; over it, 429.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Requests in any interval.
    pub requests: Option<Quota>,
    /// Tokens in any interval: of the prompt, and of the answer as long as it will be.
    pub tokens: Option<Quota>,
    /// Requests at once.
    pub in_flight: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        let delay = Delay::constant(Duration::from_millis(250));
        Settings {
            tokens: 60,
            ttft: delay,
            prefill_per_token: Duration::ZERO,
            inter_token: delay,
            slots: None,
            slowdown: 1.0,
            quotas: Quotas::default(),
            faults: Vec::new(),
            models: vec!["mock-llm".into()],
            strict_models: false,
            api_key: None,
            max_body_bytes: ByteSize(VENDOR_BODY_BYTES_MAX),
            seed: 1,
        }
    }
}

/// A setting that is not what it may be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--{flag} is {found}, expected {expected}")]
pub struct SettingsError {
    /// The flag's name, without dashes.
    pub flag: &'static str,
    /// The value that was given.
    pub found: String,
    /// What is allowed.
    pub expected: String,
}

impl Settings {
    /// Checks every value, and that they fit together.
    ///
    /// # Errors
    /// The first one that is out of its range.
    pub fn check(&self) -> Result<(), SettingsError> {
        if !(1..=MAX_TOKENS_MAX).contains(&self.tokens) {
            return refuse("tokens", self.tokens, format!("a whole number from 1 to {MAX_TOKENS_MAX}"));
        }
        let delays = [
            ("ttft", self.ttft.mean),
            ("prefill-per-token", self.prefill_per_token),
            ("inter-token", self.inter_token.mean),
        ];
        if let Some((flag, delay)) = delays.into_iter().find(|(_, delay)| *delay > DELAY_MAX) {
            return refuse(flag, humantime::format_duration(delay), "at most a day");
        }
        let jitter = [self.ttft.jitter, self.inter_token.jitter].into_iter().find(|share| !(0.0..=1.0).contains(share));
        if let Some(jitter) = jitter {
            return refuse("jitter", jitter, "a fraction from 0 to 1");
        }
        if !(1.0..=100.0).contains(&self.slowdown) {
            return refuse("slowdown", self.slowdown, "a factor from 1 to 100");
        }
        if self.slowdown > 1.0 && self.slots.is_none() {
            return refuse("slowdown", self.slowdown, "--slots to be set with it: load is the share of slots in use");
        }
        if self.slots == Some(0) {
            return refuse("slots", 0, "at least 1");
        }
        let windows = [("quota-requests", self.quotas.requests), ("quota-tokens", self.quotas.tokens)];
        for (flag, quota) in windows {
            if let Some(quota) = quota.filter(|quota| !quota.is_in_range()) {
                return refuse(flag, quota, Quota::EXPECTED);
            }
        }
        if self.quotas.in_flight == Some(0) {
            return refuse("quota-in-flight", 0, "at least 1");
        }
        if self.models.is_empty() {
            return refuse("model", "empty", "at least one name");
        }
        Ok(())
    }
}

fn refuse(flag: &'static str, found: impl ToString, expected: impl Into<String>) -> Result<(), SettingsError> {
    Err(SettingsError { flag, found: found.to_string(), expected: expected.into() })
}
