//! Arguments of `sequence`.

use std::time::Duration;

use clap::Args;

use super::outputs::Outputs;
use super::values::{header, key, path, positive_duration, token_share};
use crate::traffic::CYCLE;

/// `loadgen sequence`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub struct SequenceArgs {
    /// URL of the server, which must be on this machine
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// Key that is sent as `Authorization: Bearer KEY`
    #[arg(long, value_name = "KEY", hide_env_values = true, value_parser = key)]
    pub api_key: String,
    /// Number of calls, from the first on
    #[arg(long, value_name = "N", default_value = "12", value_parser = clap::value_parser!(u32).range(1..=CYCLE.len() as i64))]
    pub calls: u32,
    /// Path of the calls [default: the path of --url, else /api/v1/chat/completions]
    #[arg(long, value_name = "PATH", value_parser = path)]
    pub path: Option<String>,
    /// Model that is named in the calls
    #[arg(long, value_name = "NAME", default_value = "mock-llm")]
    pub model: String,
    /// Header of the calls; can be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub headers: Vec<(String, String)>,
    /// Time after which a call counts as failed
    #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = positive_duration)]
    pub timeout: Duration,
    /// Share of each call's tokens to send, such as 0.2 for a cycle with few tokens
    #[arg(long, value_name = "SHARE", default_value = "1", value_parser = token_share)]
    pub token_share: f64,
    /// Send and judge as the original script does: a fifth of the words, a tick for any status, success for any 200
    #[arg(long, conflicts_with = "token_share")]
    pub as_in_source: bool,
    /// The files for the result.
    #[command(flatten)]
    pub outputs: Outputs,
}

/// Shown below the options.
const EXAMPLE: &str = "Example: mock-llm --tokens 321 --inter-token 2ms, a server in front of it, and\n  \
                       loadgen sequence --url http://127.0.0.1:8001 --api-key demo-key\n\n\
                       The calls go out one after another, each when the one before it has ended, whether or not it \
                       failed. A prompt has as many tokens as the table says for a vendor that counts four bytes as \
                       one; max_tokens limits the answer.";
