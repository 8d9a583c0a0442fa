//! Arguments of `diagnose`.

use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::display::Display;
use super::outputs::Outputs;
use super::values::{budget, header, key, method, path};
use crate::diagnose::platform::{ALL, Platform, find};

/// The platforms of the table, by their names.
fn platform() -> impl TypedValueParser<Value = &'static Platform> {
    PossibleValuesParser::new(ALL.iter().map(|platform| platform.name))
        .try_map(|name| find(&name).ok_or_else(|| format!("no platform has the name {name}")))
}

/// `loadgen diagnose`
#[derive(Debug, Args)]
pub struct DiagnoseArgs {
    /// URL of the server, which must be on this machine unless --i-own-this-server is given
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// Allow a server on another machine: it is loaded until it no longer answers as when idle
    #[arg(long)]
    pub i_own_this_server: bool,
    /// Accept any certificate of an https server, such as a self-signed one
    #[arg(long)]
    pub insecure: bool,
    /// Path of the streams [default: the path of --url, else /chat/stream]
    #[arg(long, value_name = "PATH", value_parser = path)]
    pub stream_path: Option<String>,
    /// Path of a cheap check, such as the health check
    #[arg(long, value_name = "PATH", default_value = "/health", value_parser = path)]
    pub health_path: String,
    /// Path of a cheap check that needs no thread of a pool, if there is one
    #[arg(long, value_name = "PATH", value_parser = path)]
    pub async_health_path: Option<String>,
    /// HTTP method of the streams
    #[arg(long, default_value = "POST", value_parser = method)]
    pub method: String,
    /// Body of the streams [default: a chat with one message, and none with GET]
    #[arg(long, value_name = "BODY")]
    pub body: Option<String>,
    /// Header of the streams and of the checks; can be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub headers: Vec<(String, String)>,
    /// Key that is sent as `Authorization: Bearer KEY`, with checks only if they need one
    #[arg(long, value_name = "KEY", hide_env_values = true, value_parser = key)]
    pub api_key: Option<String>,
    /// Process id of the server, to look at its threads and its processor time
    #[arg(long, value_name = "PID")]
    pub pid: Option<u32>,
    /// What the server runs on, or makes its calls with, if its headers do not say so: for the setting and the fix
    #[arg(long, value_name = "NAME", value_parser = platform())]
    pub platform: Option<&'static Platform>,
    /// Most streams to open at once [default: 1000, and 200 on another machine]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub max_streams: Option<u32>,
    /// How long it may take in all, 1 hour at most
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = budget)]
    pub budget: Duration,
    /// The files for the result.
    #[command(flatten)]
    pub outputs: Outputs,
    /// Print only what was found, without its progress
    #[arg(long)]
    pub quiet: bool,
    /// How it is shown.
    #[command(flatten)]
    pub display: Display,
}
