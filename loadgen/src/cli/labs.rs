//! Arguments of `demo`, `lab` and `labs`.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::display::Display;
use super::outputs::Outputs;
use super::values::positive_duration;
use crate::lab::{Group, Lab};
use crate::labs;
use crate::result::Side;

/// Which servers a lab runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sides {
    /// Only the server with the mistake
    Broken,
    /// Only the fixed server
    Fixed,
    /// Both, and the control: the broken server's framework without the mistake
    Both,
}

impl Sides {
    /// The sides to run.
    #[must_use]
    pub fn sides(self) -> Vec<Side> {
        match self {
            Sides::Broken => vec![Side::Broken],
            Sides::Fixed => vec![Side::Fixed],
            Sides::Both => Side::ALL.to_vec(),
        }
    }
}

/// `loadgen demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Which servers to run
    #[arg(value_enum, default_value = "both")]
    pub side: Sides,
    /// The files for the result.
    #[command(flatten)]
    pub outputs: Outputs,
    /// Run with small numbers, for tests: pools of 8 and 16 threads, streams of 4 s
    #[arg(long)]
    pub fast: bool,
    /// Drive both servers by keys on a screen: add and remove streams, and switch the mistake; there is no verdict
    #[arg(long, conflicts_with_all = ["side", "fast", "out", "html", "plain"])]
    pub interactive: bool,
    /// How it is shown.
    #[command(flatten)]
    pub display: Display,
    /// Where the programs are.
    #[command(flatten)]
    pub programs: Programs,
}

/// Where the programs of a lab are, and how long they may take to start.
#[derive(Debug, Args)]
pub struct Programs {
    /// Directory of the programs [default: that of this program]
    #[arg(long, value_name = "DIR")]
    pub program_dir: Option<PathBuf>,
    /// How long each program may take to start
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = positive_duration)]
    pub start_timeout: Duration,
}

impl Programs {
    /// The directory of the programs.
    ///
    /// # Errors
    /// When the system does not say where this program is.
    pub fn dir(&self) -> io::Result<PathBuf> {
        self.program_dir.clone().map_or_else(process::program_dir, Ok)
    }
}

/// `loadgen lab`
#[derive(Debug, Args)]
#[command(after_help = FOR_TEACHERS)]
pub struct LabArgs {
    /// Name of the lab; `loadgen labs` lists them
    #[arg(value_name = "NAME", value_parser = labs::find)]
    pub lab: &'static Lab,
    /// Which servers to run
    #[arg(long, value_enum, default_value = "both")]
    pub side: Sides,
    /// Run broken-server alone and judge it by the claims of the fix, to check a repair
    #[arg(long)]
    pub expect_fixed: bool,
    /// Let broken-server run this mistake instead of the lab's own, for example one that you have added
    #[arg(long, value_name = "MISTAKE")]
    pub mistake: Option<String>,
    /// PostgreSQL as the database of all servers, in place of SQLite in the memory of each, for a lab about databases:
    /// postgres://USER:PASSWORD@HOST/NAME, with servers that are built with the feature `postgres`
    #[arg(long, value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// The files for the result.
    #[command(flatten)]
    pub outputs: Outputs,
    /// Run with small numbers, for tests: smaller pools, shorter streams
    #[arg(long)]
    pub fast: bool,
    /// Print only the figures and the verdict, without a dashboard
    #[arg(long, conflicts_with = "keep")]
    pub quiet: bool,
    /// Keep vendor and servers running after the verdict, and print their addresses, until Ctrl-C
    #[arg(long)]
    pub keep: bool,
    /// How it is shown.
    #[command(flatten)]
    pub display: Display,
    /// Where the programs are.
    #[command(flatten)]
    pub programs: Programs,
}

/// Shown below the options.
const FOR_TEACHERS: &str = "To demonstrate a lab by hand: --keep leaves its vendor and servers running after the verdict \
                            and prints their addresses. --fast takes a few seconds.";

/// `loadgen labs`
#[derive(Debug, Args)]
pub struct LabsArgs {
    /// Labs to run, with a summary
    #[arg(value_name = "NAME", value_parser = labs::find, conflicts_with_all = ["all", "group"])]
    pub names: Vec<&'static Lab>,
    /// Run all labs, with a summary
    #[arg(long)]
    pub all: bool,
    /// List only the labs of this part of the workshop; with --all, run only those
    #[arg(long, value_enum, value_name = "GROUP")]
    pub group: Option<Group>,
    /// Labs to run at the same time, of those that judge counts; those that judge times run alone
    #[arg(long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u8).range(1..=16))]
    pub jobs: u8,
    /// The files for the results.
    #[command(flatten)]
    pub outputs: Outputs,
    /// Run with small numbers, for tests
    #[arg(long)]
    pub fast: bool,
    /// How it is shown.
    #[command(flatten)]
    pub display: Display,
    /// Where the programs are.
    #[command(flatten)]
    pub programs: Programs,
}
