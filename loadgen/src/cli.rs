//! The command line: what can be asked, and what is allowed.

mod labs;
mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::traffic::Arrivals;
use crate::verdict::Objective;

pub use labs::{DemoArgs, LabArgs, LabsArgs, Programs, Sides};
use values::{header, method, path, positive_duration, probe, rate, share};

/// Drives a server with slow streams, watches its health meanwhile, and judges the result.
#[derive(Debug, Parser)]
#[command(name = "loadgen", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the mock vendor and the servers, load them alike, and print the verdict
    Demo(DemoArgs),
    /// Run one lab: a mistake beside its fix, under the same traffic, and the verdict
    Lab(LabArgs),
    /// List the labs, or run all of them
    Labs(LabsArgs),
    /// Put load on a server and judge it by objectives
    Run(Box<RunArgs>),
    /// 40 streams and 15 health checks, then half and twice as many: does this server exhaust its threads?
    Verify(VerifyArgs),
    /// Show sync and async health side by side, a line a second
    Watch(WatchArgs),
}

/// `loadgen run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The server, on this machine
    #[arg(long, value_name = "URL", env = "LOADGEN_URL")]
    pub url: String,
    /// Where streams are asked for [default: the path of --url, else /chat/stream]
    #[arg(long, value_name = "PATH", value_parser = path)]
    pub path: Option<String>,
    /// How they are asked for
    #[arg(long, default_value = "POST", value_parser = method)]
    pub method: String,
    /// What they are asked with [default: a chat of one message]
    #[arg(long, value_name = "JSON")]
    pub body: Option<String>,
    /// A header of each stream's request; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub headers: Vec<(String, String)>,
    /// Take whole answers in place of streams, as of an endpoint that does not stream: a body with 2xx that
    /// reports no error
    #[arg(long)]
    pub whole_answers: bool,
    /// Streams open at any time (a finished one is replaced) [default: 40]
    #[arg(long, value_name = "N", conflicts_with = "rate", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub concurrency: Option<u32>,
    /// New streams a second, whatever becomes of the earlier ones
    #[arg(long, value_name = "PER_SECOND", value_parser = rate)]
    pub rate: Option<f64>,
    /// How streams at a rate are spaced
    #[arg(long, value_enum, default_value = "poisson", requires = "rate")]
    pub arrivals: Arrivals,
    /// From no streams to all of them; the load is judged from its end on
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = humantime::parse_duration)]
    pub ramp: Duration,
    /// How long streams are begun, ramp included
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = positive_duration)]
    pub duration: Duration,
    /// How long open streams may go on after that; they stay at least until the last probe has its answer
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = humantime::parse_duration)]
    pub drain: Duration,
    /// How long the idle server is probed first
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = humantime::parse_duration)]
    pub baseline: Duration,
    /// A stream that is not whole by then has failed
    #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = positive_duration)]
    pub stream_timeout: Duration,
    /// Streams begun at most
    #[arg(long, value_name = "N", default_value = "1000000", value_parser = clap::value_parser!(u64).range(1..))]
    pub requests_max: u64,
    /// Share of the clients that leave early, 0 to 1
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    pub cancel_share: f64,
    /// After how many tokens they leave
    #[arg(long, value_name = "TOKENS", default_value = "3", value_parser = clap::value_parser!(u32).range(1..))]
    pub cancel_after: u32,
    /// A health probe; may be repeated [default: health_sync=/debug/health-sync health_async=/debug/health-async]
    #[arg(long = "probe", value_name = "NAME=PATH", value_parser = probe)]
    pub probes: Vec<(String, String)>,
    /// Probes of each kind a second
    #[arg(long, value_name = "PER_SECOND", default_value = "20", value_parser = rate)]
    pub probe_rate: f64,
    /// When a probe counts as timed out
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = positive_duration)]
    pub probe_timeout: Duration,
    /// An objective, such as 'health.p99<100ms' or 'health.failed==0'; may be repeated. Without one the run
    /// is not judged
    #[arg(long = "slo", value_name = "OBJECTIVE")]
    pub objectives: Vec<Objective>,
    /// The server's process, to see its processor time, memory and threads
    #[arg(long)]
    pub pid: Option<u32>,
    /// The mock vendor behind the server, to see what reached it
    #[arg(long, value_name = "URL")]
    pub vendor: Option<String>,
    /// Seed of arrivals and of who leaves
    #[arg(long, default_value = "1")]
    pub seed: u64,
    /// Write the result to this file, as JSON
    #[arg(long, value_name = "FILE", env = "LOADGEN_OUT")]
    pub out: Option<PathBuf>,
}

/// `loadgen verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The server, on this machine
    #[arg(long, value_name = "URL", env = "LOADGEN_URL")]
    pub url: String,
    /// Streams, all at once; before them half as many, after them twice as many
    #[arg(long, value_name = "N", default_value = "40", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub streams: u32,
    /// Health checks while they are open; a third as many with half and with twice the streams
    #[arg(long, value_name = "N", default_value = "15", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub checks: u32,
    /// Between one check and the next
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = positive_duration)]
    pub interval: Duration,
    /// When a check counts as timed out
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = positive_duration)]
    pub timeout: Duration,
    /// Judge as the source's script does: the mean of the checks, one after the other, under 0.1 s
    #[arg(long)]
    pub as_in_source: bool,
    /// Where streams are asked for [default: the path of --url, else /chat/stream]
    #[arg(long, value_name = "PATH", value_parser = path)]
    pub path: Option<String>,
    /// The check
    #[arg(long, value_name = "PATH", default_value = "/debug/health-sync", value_parser = path)]
    pub health_path: String,
    /// Write the result to this file, as JSON
    #[arg(long, value_name = "FILE", env = "LOADGEN_OUT")]
    pub out: Option<PathBuf>,
}

/// `loadgen watch`
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// The server, on this machine
    #[arg(long, value_name = "URL", env = "LOADGEN_URL")]
    pub url: String,
    /// For how long [default: until Ctrl-C]
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    pub duration: Option<Duration>,
    /// When a probe counts as timed out
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = positive_duration)]
    pub timeout: Duration,
    /// A health check; may be repeated [default: health_sync=/debug/health-sync health_async=/debug/health-async]
    #[arg(long = "probe", value_name = "NAME=PATH", value_parser = probe)]
    pub probes: Vec<(String, String)>,
}
