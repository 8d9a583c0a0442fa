use std::net::SocketAddr;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use tracing_subscriber::filter::Targets;
use wire::chat::MAX_TOKENS_MAX;

use crate::latency::{Delay, parse_delay};
use crate::settings::{Settings, SettingsError};

/// A slow-streaming, OpenAI-compatible vendor that remembers what it saw.
#[derive(Debug, Clone, Parser)]
#[command(name = "mock-llm", version, about)]
pub struct Args {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, env = "MOCK_LLM_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:9000")]
    pub listen: SocketAddr,

    /// Tokens of an answer; a request's max_tokens can only make it shorter
    #[arg(long, env = "MOCK_LLM_TOKENS", value_name = "N", default_value_t = 60,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_TOKENS_MAX)))]
    pub tokens: u32,

    /// Time to the first token
    #[arg(long, env = "MOCK_LLM_TTFT", value_name = "DURATION", default_value = "250ms", value_parser = parse_delay, allow_hyphen_values = true)]
    pub ttft: Duration,

    /// Time from one token to the next
    #[arg(long, env = "MOCK_LLM_INTER_TOKEN", value_name = "DURATION", default_value = "250ms",
          value_parser = parse_delay, allow_hyphen_values = true)]
    pub inter_token: Duration,

    /// Lets each delay be off by up to this fraction of it, 0 to 1
    #[arg(long, env = "MOCK_LLM_JITTER", value_name = "FRACTION", default_value_t = 0.0)]
    pub jitter: f64,

    /// Where all random choices come from
    #[arg(long, env = "MOCK_LLM_SEED", value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// How to write the log
    #[arg(long, env = "MOCK_LLM_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// What to log: off, error, warn, info, debug or trace, or TARGET=LEVEL,...
    #[arg(long, env = "MOCK_LLM_LOG_LEVEL", value_name = "LEVEL", default_value = "info")]
    pub log_level: Targets,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: an object a line.
    Json,
}

impl Args {
    /// What the flags say about the vendor.
    ///
    /// # Errors
    /// The first flag that is out of its range.
    pub fn settings(&self) -> Result<Settings, SettingsError> {
        let delay = |mean| Delay { mean, jitter: self.jitter };
        let settings = Settings {
            tokens: self.tokens,
            ttft: delay(self.ttft),
            inter_token: delay(self.inter_token),
            seed: self.seed,
            ..Settings::default()
        };
        settings.check()?;
        Ok(settings)
    }
}
