//! fixed-server under many streams, beside nginx and a plain relay that pass the same through: `make bench`.
//!
//! Each row of the table is several runs, each with a fresh vendor, a fresh server and a fresh
//! generator, all of them processes of their own. The servers take turns, one after the other, so that
//! a machine that is slower for a while is slower for all of them; medians are shown. Processor time
//! counts only as a ratio within one such table.

mod budgets;
mod nginx;
mod relay;
mod run;
mod servers;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use loadgen::descriptors::raise_descriptor_limit;

use budgets::Row;
use run::{Case, Measured};
use servers::Server;

/// Measures fixed-server beside a plain relay, and beside nginx where it is installed.
#[derive(Debug, Parser)]
struct Args {
    /// Runs of each server
    #[arg(long, default_value = "3", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long to measure in each run, once all streams are open
    #[arg(long, default_value = "8s", value_parser = window)]
    window: Duration,
    /// One round with windows of 4 s: under two minutes, and less exact
    #[arg(long, conflicts_with_all = ["rounds", "window"])]
    short: bool,
    /// Only the load with this number of streams: 4000 or 9000
    #[arg(long)]
    streams: Option<u32>,
    /// Only these servers: nginx, relay, /v1/chat/completions, /chat/stream
    #[arg(long = "server", value_delimiter = ',', value_parser = Server::parse)]
    servers: Vec<Server>,
    /// Where mock-llm, fixed-server and loadgen are; else where cargo has built the last
    #[arg(long)]
    program_dir: Option<PathBuf>,
    /// What cargo passes to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

const CASES: [Case; 2] =
    [Case { streams: 4_000, gap: Duration::from_millis(250) }, Case { streams: 9_000, gap: Duration::from_secs(1) }];

/// For each stream a server has two descriptors, and a few hundred besides.
const DESCRIPTORS: u64 = 18_500;

/// Long enough for what is left out at its beginning and its end.
fn window(text: &str) -> Result<Duration, String> {
    let window = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if window >= Duration::from_secs(3) { Ok(window) } else { Err("expected at least 3s".to_owned()) }
}

fn main() -> anyhow::Result<ExitCode> {
    if let Some(upstream) = relay::requested() {
        relay::run(&upstream)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut args = Args::parse();
    if args.short {
        (args.rounds, args.window) = (1, Duration::from_secs(4));
    }
    let limit = raise_descriptor_limit();
    anyhow::ensure!(
        limit >= DESCRIPTORS,
        "9,000 streams need {DESCRIPTORS} descriptors in one process; `ulimit -n` allows {limit}"
    );
    let mut servers = if args.servers.is_empty() { Server::ALL.to_vec() } else { args.servers.clone() };
    if servers.contains(&Server::Nginx) && nginx::find().is_none() {
        println!("nginx is not installed, so it is left out (Debian: apt-get install nginx-light)");
        servers.retain(|server| *server != Server::Nginx);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let built = Path::new(env!("CARGO_BIN_EXE_loadgen")).parent().map(Path::to_owned).unwrap_or_default();
    let program_dir = args.program_dir.clone().unwrap_or(built);
    let rows = runtime.block_on(measure(&args, &servers, &program_dir))?;
    budgets::print_table(&rows);
    Ok(if budgets::print_verdicts(&rows) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn measure(args: &Args, servers: &[Server], program_dir: &Path) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for case in CASES.into_iter().filter(|case| args.streams.is_none_or(|streams| streams == case.streams)) {
        let mut runs: Vec<Vec<Measured>> = vec![Vec::new(); servers.len()];
        for round in 1..=args.rounds {
            for (server, runs) in servers.iter().zip(&mut runs) {
                let name = format!("{} streams, {}, round {round} of {}", case.streams, server.name(), args.rounds);
                eprintln!("{name}");
                let measured = run::run(*server, case, args.window, program_dir).await;
                runs.push(measured.with_context(|| name)?);
            }
        }
        rows.extend(servers.iter().zip(&runs).map(|(server, runs)| Row::median(*server, case, runs)));
    }
    Ok(rows)
}
