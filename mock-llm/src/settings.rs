//! The settings of a vendor, and what each may be.

use std::time::Duration;

use wire::VENDOR_BODY_BYTES_MAX;
use wire::byte_size::ByteSize;
use wire::chat::MAX_TOKENS_MAX;

use crate::faults::Rule;
use crate::latency::{DELAY_MAX, Delay};
use crate::quota::Quota;

/// Largest size of a padded chunk, in bytes: when the vendor is behind schedule, many are sent at once.
pub const CHUNK_BYTES_MAX: usize = 256 * 1024;

/// The settings of a vendor. The command line and the builder both produce them, so that each can do what the
/// other can.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Tokens per answer, unless the request allows fewer; 1 to [`MAX_TOKENS_MAX`].
    pub tokens: u32,
    /// Time from a request to its first token, for an empty prompt.
    pub ttft: Delay,
    /// Time that each prompt token adds to the mean of `ttft`.
    pub prefill_per_token: Duration,
    /// Time between two tokens.
    pub inter_token: Delay,
    /// Size to which each chunk with a token is padded, as OpenAI pads its chunks (`obfuscation`); at most
    /// [`CHUNK_BYTES_MAX`].
    pub chunk_bytes: Option<ByteSize>,
    /// Whether the chunks of a stream end inside each character of several bytes.
    pub split_characters: bool,
    /// Answers generated at the same time; further requests wait for a slot, first come, first served.
    pub slots: Option<u32>,
    /// Factor by which delays grow when all slots are in use, 1 to 100; proportionally smaller when only some are.
    pub slowdown: f64,
    /// Rate limits.
    pub quotas: Quotas,
    /// Fault rules.
    pub faults: Vec<Rule>,
    /// Models listed by `/v1/models`.
    pub models: Vec<String>,
    /// Whether models that are not listed get 404, as from the real API. Otherwise any name is accepted.
    pub strict_models: bool,
    /// Key required under `/v1`, if any.
    pub api_key: Option<String>,
    /// Largest body of a completion request; larger ones get 413.
    pub max_body_bytes: ByteSize,
    /// Seed of all random choices: the same seed and order of requests give the same answers, delays and faults.
    pub seed: u64,
}

/// Rate limits; requests over them get 429.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Requests in any interval.
    pub requests: Option<Quota>,
    /// Tokens in any interval: those of the prompt, and of the complete answer.
    pub tokens: Option<Quota>,
    /// Requests at the same time.
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
            chunk_bytes: None,
            split_characters: false,
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

/// A setting whose value is not allowed.
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
    /// Checks every value, and those that depend on each other.
    ///
    /// # Errors
    /// The first value that is not allowed.
    pub fn check(&self) -> Result<(), SettingsError> {
        if !(1..=MAX_TOKENS_MAX).contains(&self.tokens) {
            return reject("tokens", self.tokens, format!("a whole number from 1 to {MAX_TOKENS_MAX}"));
        }
        let delays = [
            ("ttft", self.ttft.mean),
            ("prefill-per-token", self.prefill_per_token),
            ("inter-token", self.inter_token.mean),
        ];
        if let Some((flag, delay)) = delays.into_iter().find(|(_, delay)| *delay > DELAY_MAX) {
            return reject(flag, humantime::format_duration(delay), "at most a day");
        }
        let jitter = [self.ttft.jitter, self.inter_token.jitter].into_iter().find(|share| !(0.0..=1.0).contains(share));
        if let Some(jitter) = jitter {
            return reject("jitter", jitter, "a fraction from 0 to 1");
        }
        if let Some(bytes) = self.chunk_bytes.filter(|bytes| bytes.0 > CHUNK_BYTES_MAX) {
            return reject("chunk-bytes", bytes, format!("at most {}", ByteSize(CHUNK_BYTES_MAX)));
        }
        if !(1.0..=100.0).contains(&self.slowdown) {
            return reject("slowdown", self.slowdown, "a factor from 1 to 100");
        }
        if self.slowdown > 1.0 && self.slots.is_none() {
            return reject("slowdown", self.slowdown, "--slots to be set too: it grows with the share of slots in use");
        }
        if self.slots == Some(0) {
            return reject("slots", 0, "at least 1");
        }
        let windows = [("quota-requests", self.quotas.requests), ("quota-tokens", self.quotas.tokens)];
        for (flag, quota) in windows {
            if let Some(quota) = quota.filter(|quota| !quota.is_in_range()) {
                return reject(flag, quota, Quota::EXPECTED);
            }
        }
        if self.quotas.in_flight == Some(0) {
            return reject("quota-in-flight", 0, "at least 1");
        }
        if self.models.is_empty() {
            return reject("model", "empty", "at least one name");
        }
        Ok(())
    }
}

fn reject(flag: &'static str, found: impl ToString, expected: impl Into<String>) -> Result<(), SettingsError> {
    Err(SettingsError { flag, found: found.to_string(), expected: expected.into() })
}
