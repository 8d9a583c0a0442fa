//! The command line of `loadgen`.

mod balancer;
mod diagnose;
mod display;
mod labs;
mod outputs;
mod report;
mod sequence;
mod serve;
mod values;

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::traffic::Arrivals;
use crate::verdict::Objective;

pub use balancer::BalancerArgs;
pub use diagnose::DiagnoseArgs;
pub use display::Display;
pub use labs::{DemoArgs, LabArgs, LabsArgs, Programs, Sides};
pub use outputs::Outputs;
pub use report::ReportArgs;
pub use sequence::SequenceArgs;
pub use serve::ServeArgs;
use values::{header, method, path, positive_duration, probe, rate, share};

/// Loads a server with slow streams, probes its health meanwhile, and judges the result.
#[derive(Debug, Parser)]
#[command(name = "loadgen", version, max_term_width = 100)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the mock vendor and the servers, put the same load on each, and print a verdict
    Demo(DemoArgs),
    /// Run one lab: a mistake beside its fix under the same traffic, with a verdict
    Lab(LabArgs),
    /// List the labs, or run several of them
    Labs(LabsArgs),
    /// Put load on your server and judge it by objectives
    Run(Box<RunArgs>),
    /// Find out at how many streams your server stops answering, and why
    Diagnose(Box<DiagnoseArgs>),
    /// Check whether open streams slow down the health check of your server
    Verify(VerifyArgs),
    /// Send twelve calls for whole answers one after another, 24,944 tokens in all, and show the first that fails
    Sequence(SequenceArgs),
    /// Show health checks side by side, as a dashboard or one line per second
    Watch(WatchArgs),
    /// Show result files again, or compare them; as a page with --html
    Report(ReportArgs),
    /// Serve the playground: a page on which you drive both servers by hand, for teaching
    Serve(ServeArgs),
    /// Send requests to those of several servers that are ready, as a load balancer does
    Balancer(BalancerArgs),
}

impl Command {
    /// The files that it writes its result to, if it has one.
    #[must_use]
    pub fn outputs(&self) -> Outputs {
        match self {
            Command::Demo(args) => args.outputs.clone(),
            Command::Lab(args) => args.outputs.clone(),
            Command::Labs(args) => args.outputs.clone(),
            Command::Run(args) => args.outputs.clone(),
            Command::Diagnose(args) => args.outputs.clone(),
            Command::Verify(args) => args.outputs.clone(),
            Command::Sequence(args) => args.outputs.clone(),
            Command::Report(args) => Outputs { out: None, html: args.html.clone() },
            Command::Watch(_) | Command::Serve(_) | Command::Balancer(_) => Outputs::default(),
        }
    }

    /// Whether it runs until a signal ends it, which is then no failure.
    #[must_use]
    pub fn is_ended_by_signal(&self) -> bool {
        matches!(self, Command::Serve(_) | Command::Balancer(_))
    }
}

/// `loadgen run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// URL of the server, which must be on this machine
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// Path of the streams [default: the path of --url, else /chat/stream]
    #[arg(long, value_name = "PATH", value_parser = path)]
    pub path: Option<String>,
    /// HTTP method of the requests
    #[arg(long, default_value = "POST", value_parser = method)]
    pub method: String,
    /// JSON body of the requests [default: a chat with one message]
    #[arg(long, value_name = "JSON")]
    pub body: Option<String>,
    /// Header of the requests; can be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub headers: Vec<(String, String)>,
    /// Expect complete answers instead of streams, for an endpoint that does not stream
    #[arg(long)]
    pub whole_answers: bool,
    /// Number of streams to keep open; one that ends is replaced [default: 40]
    #[arg(long, value_name = "N", conflicts_with = "rate", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub concurrency: Option<u32>,
    /// New streams per second, however many are still open
    #[arg(long, value_name = "PER_SECOND", value_parser = rate)]
    pub rate: Option<f64>,
    /// Spacing of the streams of --rate
    #[arg(long, value_enum, default_value = "poisson", requires = "rate")]
    pub arrivals: Arrivals,
    /// Time over which the streams are opened; measuring starts after it
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = humantime::parse_duration)]
    pub ramp: Duration,
    /// Duration of the load, including --ramp
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = positive_duration)]
    pub duration: Duration,
    /// How long to wait for open streams after --duration (at least until the last probe has ended)
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = humantime::parse_duration)]
    pub drain: Duration,
    /// How long to probe the idle server before the load
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = humantime::parse_duration)]
    pub baseline: Duration,
    /// A stream that takes longer counts as failed
    #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = positive_duration)]
    pub stream_timeout: Duration,
    /// Maximum number of streams
    #[arg(long, value_name = "N", default_value = "1000000", value_parser = clap::value_parser!(u64).range(1..))]
    pub requests_max: u64,
    /// Share of the clients that disconnect early, 0 to 1
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    pub cancel_share: f64,
    /// Number of tokens after which they disconnect
    #[arg(long, value_name = "TOKENS", default_value = "3", value_parser = clap::value_parser!(u32).range(1..))]
    pub cancel_after: u32,
    /// Health probe; can be repeated [default: health_sync=/debug/health-sync health_async=/debug/health-async]
    #[arg(long = "probe", value_name = "NAME=PATH", value_parser = probe)]
    pub probes: Vec<(String, String)>,
    /// Probes per second, of each kind
    #[arg(long, value_name = "PER_SECOND", default_value = "20", value_parser = rate)]
    pub probe_rate: f64,
    /// Time after which a probe counts as timed out
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = positive_duration)]
    pub probe_timeout: Duration,
    /// Objective, such as 'health.p99<100ms' or 'health.failed==0'; can be repeated. Without one the run is
    /// not judged
    #[arg(long = "slo", value_name = "OBJECTIVE")]
    pub objectives: Vec<Objective>,
    /// Process id of the server, to measure its processor time, memory and threads
    #[arg(long)]
    pub pid: Option<u32>,
    /// URL of the mock vendor behind the server, to include its ledger in the result
    #[arg(long, value_name = "URL")]
    pub vendor: Option<String>,
    /// Seed for arrival times and for the choice of clients that disconnect
    #[arg(long, default_value = "1")]
    pub seed: u64,
    /// The files for the result.
    #[command(flatten)]
    pub outputs: Outputs,
    /// How it is shown.
    #[command(flatten)]
    pub display: Display,
}

/// `loadgen verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// URL of the server, which must be on this machine
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// Number of streams; half as many are tried before and twice as many after
    #[arg(long, value_name = "N", default_value = "40", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub streams: u32,
    /// Health checks while they are open; a third as many with half and with twice the streams
    #[arg(long, value_name = "N", default_value = "15", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub checks: u32,
    /// Time between two checks
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = positive_duration)]
    pub interval: Duration,
    /// Time after which a check counts as timed out
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = positive_duration)]
    pub timeout: Duration,
    /// Judge as the original script does: the mean of checks sent one after another must be under 0.1 s
    #[arg(long)]
    pub as_in_source: bool,
    /// Path of the streams [default: the path of --url, else /chat/stream]
    #[arg(long, value_name = "PATH", value_parser = path)]
    pub path: Option<String>,
    /// Path of the health check
    #[arg(long, value_name = "PATH", default_value = "/debug/health-sync", value_parser = path)]
    pub health_path: String,
    /// The files for the result.
    #[command(flatten)]
    pub outputs: Outputs,
}

/// `loadgen watch`
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// URL of the server, which must be on this machine
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// How long to watch [default: until Ctrl-C]
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    pub duration: Option<Duration>,
    /// Time after which a probe counts as timed out
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = positive_duration)]
    pub timeout: Duration,
    /// Health check; can be repeated [default: health_sync=/debug/health-sync health_async=/debug/health-async]
    #[arg(long = "probe", value_name = "NAME=PATH", value_parser = probe)]
    pub probes: Vec<(String, String)>,
    /// How it is shown.
    #[command(flatten)]
    pub display: Display,
}
