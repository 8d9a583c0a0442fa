//! The command line of `loadgen`.

mod balancer;
mod diagnose;
mod display;
mod labs;
mod outputs;
mod report;
mod run;
mod sequence;
mod serve;
mod values;

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

pub use balancer::BalancerArgs;
pub use diagnose::DiagnoseArgs;
pub use display::Display;
pub use labs::{DemoArgs, LabArgs, LabsArgs, Programs, Sides};
pub use outputs::Outputs;
pub use report::ReportArgs;
pub use run::RunArgs;
pub use sequence::SequenceArgs;
pub use serve::ServeArgs;
use values::{path, positive_duration, probe};

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
    /// Show result files again, compare them, or add those of several machines; as a page with --html
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
            Command::Report(args) => Outputs { out: args.out.clone(), html: args.html.clone() },
            Command::Watch(_) | Command::Serve(_) | Command::Balancer(_) => Outputs::default(),
        }
    }

    /// Whether it runs until a signal ends it, which is then no failure.
    #[must_use]
    pub fn is_ended_by_signal(&self) -> bool {
        matches!(self, Command::Serve(_) | Command::Balancer(_))
    }
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
