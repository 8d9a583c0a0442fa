//! fixed-server under many streams, beside nginx that passes the same through: `make bench`.
//!
//! Each row of the table is several runs, each with a fresh vendor, a fresh server and a fresh
//! generator, all of them processes of their own. The servers take turns, one after the other, so that
//! a machine that is slower for a while is slower for all of them; medians are shown. Processor time
//! counts only as a ratio within one such table.

mod budgets;
mod nginx;
mod run;
mod servers;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use loadgen::stand::raise_descriptor_limit;

use budgets::Row;
use run::{Case, Measured};
use servers::Server;

/// Measures fixed-server, and nginx beside it where it is installed.
#[derive(Debug, Parser)]
struct Args {
    /// How often each server takes its turn
    #[arg(long, default_value = "3", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long to measure in each run, once all streams are open
    #[arg(long, default_value = "8s", value_parser = humantime::parse_duration)]
    window: Duration,
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

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let limit = raise_descriptor_limit();
    anyhow::ensure!(
        limit >= DESCRIPTORS,
        "9,000 streams need {DESCRIPTORS} descriptors in one process; `ulimit -n` allows {limit}"
    );
    let servers = match nginx::find() {
        Some(_) => vec![Server::Nginx, Server::Completions, Server::ChatStream],
        None => {
            println!("nginx is not installed: no comparison (Debian: apt-get install nginx-light)");
            vec![Server::Completions, Server::ChatStream]
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let built = Path::new(env!("CARGO_BIN_EXE_loadgen")).parent().map(Path::to_owned).unwrap_or_default();
    let program_dir = args.program_dir.clone().unwrap_or(built);
    let rows = runtime.block_on(measure(&args, &servers, &program_dir))?;
    budgets::print_table(&rows);
    Ok(if budgets::print_verdicts(&rows) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn measure(args: &Args, servers: &[Server], program_dir: &Path) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for case in CASES {
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
