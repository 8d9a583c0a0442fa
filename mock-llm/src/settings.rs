use std::time::Duration;

use wire::chat::MAX_TOKENS_MAX;

use crate::latency::{DELAY_MAX, Delay};

/// What a vendor is told to be like. The command line and the builder both end here, so that what
/// one of them can do the other can too.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Tokens of an answer, where the request allows that many; 1 to [`MAX_TOKENS_MAX`].
    pub tokens: u32,
    /// From taking a request on to its first token.
    pub ttft: Delay,
    /// From one token to the next.
    pub inter_token: Delay,
    /// Where every random choice comes from: the same seed and the same order of requests give the
    /// same answers, delays and faults.
    pub seed: u64,
    /// The models that `/v1/models` lists.
    pub models: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let delay = Delay::constant(Duration::from_millis(250));
        Settings { tokens: 60, ttft: delay, inter_token: delay, seed: 1, models: vec!["mock-llm".into()] }
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
    /// Checks every value.
    ///
    /// # Errors
    /// The first one that is out of its range.
    pub fn check(&self) -> Result<(), SettingsError> {
        if !(1..=MAX_TOKENS_MAX).contains(&self.tokens) {
            return refuse("tokens", self.tokens, format!("a whole number from 1 to {MAX_TOKENS_MAX}"));
        }
        for (flag, delay) in [("ttft", self.ttft), ("inter-token", self.inter_token)] {
            if delay.mean > DELAY_MAX {
                return refuse(flag, humantime::format_duration(delay.mean), "at most a day");
            }
            if !(0.0..=1.0).contains(&delay.jitter) {
                return refuse("jitter", delay.jitter, "a fraction from 0 to 1");
            }
        }
        Ok(())
    }
}

fn refuse(flag: &'static str, found: impl ToString, expected: impl Into<String>) -> Result<(), SettingsError> {
    Err(SettingsError { flag, found: found.to_string(), expected: expected.into() })
}
