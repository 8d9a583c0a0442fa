//! The command line of the program.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use program::environment::with_variables;
use program::logs::{LogFilter, LogFormat};
use wire::VENDOR_BODY_BYTES_MAX;
use wire::byte_size::ByteSize;
use wire::chat::MAX_TOKENS_MAX;

use crate::faults::Rule;
use crate::latency::{Distribution, parse_delay};
use crate::profile::Profile;
use crate::quota::Quota;
use crate::settings::{Settings, SettingsError};

/// A slow, streaming, OpenAI-compatible mock vendor that fails on demand and counts what it served.
///
/// Durations are written as 250ms, 5s or 1m. The defaults shown are those without --profile.
#[derive(Debug, Clone, Parser)]
#[command(name = "mock-llm", version, about, long_about)]
pub struct Args {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9000")]
    pub listen: SocketAddr,

    /// Preset of settings; other flags override single settings of it
    #[arg(long, value_name = "NAME", value_enum)]
    pub profile: Option<Profile>,

    /// Tokens per answer; a request's max_tokens can only shorten it [default: 60]
    #[arg(long, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_TOKENS_MAX)),
          allow_negative_numbers = true)]
    pub tokens: Option<u32>,

    /// Time to the first token [default: 250ms]
    #[arg(long, value_name = "DURATION", value_parser = parse_delay,
          allow_hyphen_values = true)]
    pub ttft: Option<Duration>,

    /// Its distribution: constant, normal or lognormal, or with a spread as in normal:0.3 [default: constant]
    #[arg(long, value_name = "SHAPE")]
    pub ttft_distribution: Option<Distribution>,

    /// Time that each prompt token adds to the time to the first token [default: 0s]
    #[arg(long, value_name = "DURATION", value_parser = parse_delay,
          allow_hyphen_values = true)]
    pub prefill_per_token: Option<Duration>,

    /// Time from one token to the next [default: 250ms]
    #[arg(long, value_name = "DURATION", value_parser = parse_delay,
          allow_hyphen_values = true)]
    pub inter_token: Option<Duration>,

    /// Its distribution, as for --ttft-distribution [default: constant]
    #[arg(long, value_name = "SHAPE")]
    pub inter_token_distribution: Option<Distribution>,

    /// Vary each delay by up to this fraction of it, 0 to 1 [default: 0]
    #[arg(long, value_name = "FRACTION", allow_hyphen_values = true)]
    pub jitter: Option<f64>,

    /// Pad each chunk of a stream that has a token to this size, such as 16KiB, at most 256KiB [default: no padding]
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true)]
    pub chunk_bytes: Option<ByteSize>,

    /// End a chunk of a stream inside each character of several bytes
    #[arg(long)]
    pub split_characters: bool,

    /// Answers generated at the same time; further requests wait [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..),
          allow_negative_numbers = true)]
    pub slots: Option<u32>,

    /// Factor by which delays grow when all slots are in use, 1 to 100 [default: 1]
    #[arg(long, value_name = "FACTOR", allow_hyphen_values = true)]
    pub slowdown: Option<f64>,

    /// Requests allowed in any interval, such as 60/1m; more get 429 [default: no limit]
    #[arg(long, value_name = "N/INTERVAL")]
    pub quota_requests: Option<Quota>,

    /// Tokens (prompt and answer) allowed in any interval, such as 40000/1m; more get 429 [default: no limit]
    #[arg(long, value_name = "N/INTERVAL")]
    pub quota_tokens: Option<Quota>,

    /// Requests allowed at the same time; more get 429 [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..),
          allow_negative_numbers = true)]
    pub quota_in_flight: Option<u32>,

    /// Fault rule, such as 'status=503;rate=0.3'; may be given several times
    #[arg(long = "fault", value_name = "RULE", value_delimiter = ',')]
    pub faults: Vec<Rule>,

    /// Model listed by /v1/models; may be given several times
    #[arg(long = "model", value_name = "NAME", value_delimiter = ',', default_value = "mock-llm")]
    pub models: Vec<String>,

    /// Answer 404 to models that are not listed, as the real API does
    #[arg(long)]
    pub strict_models: bool,

    /// Key required under /v1; requests without it get 401
    #[arg(long, value_name = "KEY", hide_env_values = true)]
    pub api_key: Option<String>,

    /// Largest body of a completion request, such as 1MiB; larger ones get 413
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true,
          default_value_t = ByteSize(VENDOR_BODY_BYTES_MAX))]
    pub max_body_bytes: ByteSize,

    /// Seed of all random choices
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    pub seed: u64,

    /// Log format
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,

    /// Log level: off, error, warn, info, debug or trace, or TARGET=LEVEL,...
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log_level: LogFilter,
}

impl Args {
    /// Parses the arguments of a program, its name first, and the environment variables that set flags.
    ///
    /// # Errors
    /// The usage error that clap prints, or the requested help.
    pub fn read<I, T>(args: I) -> Result<(Self, Settings), clap::Error>
    where
        I: IntoIterator<Item = T>,
        T: Into<OsString> + Clone,
    {
        let mut command = with_variables(Args::command());
        let args = Args::from_arg_matches(&command.try_get_matches_from_mut(args)?)?;
        let settings = args.settings().map_err(|error| command.error(ErrorKind::ValueValidation, error))?;
        Ok((args, settings))
    }

    /// The settings of the profile, overridden by the flags that are given.
    ///
    /// # Errors
    /// The first flag whose value is not allowed.
    fn settings(&self) -> Result<Settings, SettingsError> {
        let mut settings = self.profile.map_or_else(Settings::default, Profile::settings);
        set(&mut settings.tokens, self.tokens);
        set(&mut settings.ttft.mean, self.ttft);
        set(&mut settings.ttft.distribution, self.ttft_distribution);
        set(&mut settings.ttft.jitter, self.jitter);
        set(&mut settings.prefill_per_token, self.prefill_per_token);
        set(&mut settings.inter_token.mean, self.inter_token);
        set(&mut settings.inter_token.distribution, self.inter_token_distribution);
        set(&mut settings.inter_token.jitter, self.jitter);
        set(&mut settings.slowdown, self.slowdown);
        settings.chunk_bytes = self.chunk_bytes;
        settings.split_characters = self.split_characters;
        settings.slots = self.slots.or(settings.slots);
        settings.quotas.requests = self.quota_requests.or(settings.quotas.requests);
        settings.quotas.tokens = self.quota_tokens.or(settings.quotas.tokens);
        settings.quotas.in_flight = self.quota_in_flight.or(settings.quotas.in_flight);
        settings.faults.clone_from(&self.faults);
        settings.models.clone_from(&self.models);
        settings.strict_models = self.strict_models;
        settings.api_key.clone_from(&self.api_key);
        settings.max_body_bytes = self.max_body_bytes;
        settings.seed = self.seed;
        settings.check()?;
        Ok(settings)
    }
}

fn set<T>(setting: &mut T, flag: Option<T>) {
    if let Some(value) = flag {
        *setting = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(flags: &[&str]) -> Settings {
        Args::read([&["mock-llm"], flags].concat()).unwrap().1
    }

    #[test]
    fn flags_and_library_have_the_same_defaults() {
        assert_eq!(settings(&[]), Settings::default());
    }

    #[test]
    fn a_flag_overrides_one_setting_of_a_profile() {
        let expected = Settings { tokens: 7, ..Profile::Chat.settings() };
        assert_eq!(settings(&["--tokens", "7", "--profile", "chat"]), expected);
        assert_eq!(settings(&["--profile", "rapid-sequence"]), Profile::RapidSequence.settings());
    }

    #[test]
    fn a_value_out_of_range_is_an_error_that_names_the_flag() {
        for (flags, named) in [
            (["--jitter", "2"], "--jitter is 2"),
            (["--jitter", "-1"], "--jitter is -1"),
            (["--jitter", "NaN"], "--jitter is NaN"),
            (["--slowdown", "0.5"], "--slowdown is 0.5"),
            (["--slowdown", "2"], "--slots to be set"),
            (["--chunk-bytes", "1MiB"], "--chunk-bytes is 1MiB, expected at most 256KiB"),
        ] {
            let error = Args::read([&["mock-llm"], &flags[..]].concat()).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
        for flags in [
            ["--tokens", "0"],
            ["--tokens", "-1"],
            ["--seed", "-1"],
            ["--quota-in-flight", "-1"],
            ["--ttft", "-1s"],
            ["--slots", "0"],
            ["--quota-requests", "60"],
            ["--fault", "statsu=503"],
            ["--profile", "fats"],
            ["--max-body-bytes", "0"],
            ["--listen", "nonsense"],
        ] {
            let error = Args::read([&["mock-llm"], &flags[..]].concat()).unwrap_err().to_string();
            assert!(error.contains(flags[0]) && error.contains(flags[1]), "{error}");
        }
    }
}
