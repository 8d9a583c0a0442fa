//! Labs, and the demo, which is one.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::values::positive_duration;
use crate::lab::Lab;
use crate::labs;
use crate::result::Side;

/// Which servers a lab runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sides {
    /// Only the server with the mistake
    Broken,
    /// Only the server without it
    Fixed,
    /// Both, and the control
    Both,
}

impl Sides {
    /// The sides that are meant.
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
    /// Write the result to this file, as JSON
    #[arg(long, value_name = "FILE", env = "LOADGEN_OUT")]
    pub out: Option<PathBuf>,
    /// The same in little, for tests: pools of 8 and 16, streams of 4 s
    #[arg(long)]
    pub fast: bool,
    /// The programs
    #[command(flatten)]
    pub programs: Programs,
}

/// Where the programs of a lab are, and how long they may take to start.
#[derive(Debug, Args)]
pub struct Programs {
    /// Where the programs are [default: beside this one]
    #[arg(long, value_name = "DIR", env = "LOADGEN_PROGRAM_DIR")]
    pub program_dir: Option<PathBuf>,
    /// How long each program may take until it listens
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = positive_duration)]
    pub start_timeout: Duration,
}

/// `loadgen lab`
#[derive(Debug, Args)]
#[command(after_help = FOR_TEACHERS)]
pub struct LabArgs {
    /// Which lab; `loadgen labs` lists them
    #[arg(value_name = "NAME", value_parser = labs::find)]
    pub lab: &'static Lab,
    /// Which servers to run
    #[arg(long, value_enum, default_value = "both")]
    pub side: Sides,
    /// Run broken-server alone and judge it by the fix's claims: have you mended it?
    #[arg(long)]
    pub expect_fixed: bool,
    /// Let broken-server run this mistake in place of the lab's own: one that you have added, for example
    #[arg(long, value_name = "MISTAKE")]
    pub mistake: Option<String>,
    /// Write the result to this file, as JSON
    #[arg(long, value_name = "FILE", env = "LOADGEN_OUT")]
    pub out: Option<PathBuf>,
    /// Write the result to this file, as a page (not there yet)
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// The same in little, for tests: smaller pools, shorter streams
    #[arg(long)]
    pub fast: bool,
    /// Leave vendor and servers up after the verdict, and print where, for curl; until Ctrl-C
    #[arg(long)]
    pub keep: bool,
    /// The programs
    #[command(flatten)]
    pub programs: Programs,
}

/// What a teacher looks for, where it is looked for.
const FOR_TEACHERS: &str = "To show a lab by hand: --keep leaves its vendor and servers up after the verdict, and prints \
                            their addresses. --fast takes a few seconds.";

/// `loadgen labs`
#[derive(Debug, Args)]
pub struct LabsArgs {
    /// Run these, one after the other, and sum up
    #[arg(value_name = "NAME", value_parser = labs::find, conflicts_with = "all")]
    pub names: Vec<&'static Lab>,
    /// Run every lab, one after the other, and sum up
    #[arg(long)]
    pub all: bool,
    /// Write all results to this file, as JSON
    #[arg(long, value_name = "FILE", env = "LOADGEN_OUT")]
    pub out: Option<PathBuf>,
    /// The same in little, for tests
    #[arg(long)]
    pub fast: bool,
    /// The programs
    #[command(flatten)]
    pub programs: Programs,
}
