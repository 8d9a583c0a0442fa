//! Arguments of `report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::percent;
use crate::chart::Scheme;

/// Colours of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PictureScheme {
    /// On white
    Light,
    /// On black
    Dark,
}

impl From<PictureScheme> for Scheme {
    fn from(scheme: PictureScheme) -> Self {
        match scheme {
            PictureScheme::Light => Scheme::Light,
            PictureScheme::Dark => Scheme::Dark,
        }
    }
}

/// `loadgen report`
#[derive(Debug, Args)]
#[command(after_help = RULE)]
pub struct ReportArgs {
    /// Result files, as --out writes them. Several are compared: the first is the reference for the others; or
    /// added, with --merge
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Add the files, which several machines wrote of one load (`loadgen run --out`), and judge their objectives anew.
    /// Percentiles are those of all requests together, never an average
    #[arg(long, conflicts_with = "fail_on_regression")]
    pub merge: bool,
    /// Write the merged result to this file (JSON), which can be shown, compared and merged again
    #[arg(long, value_name = "OUT", requires = "merge")]
    pub out: Option<PathBuf>,
    /// Write a page to this file, which needs nothing else
    #[arg(long, value_name = "OUT")]
    pub html: Option<PathBuf>,
    /// Write the run over time as a picture (SVG) to this file; of one run only
    #[arg(long, value_name = "OUT", conflicts_with = "fail_on_regression")]
    pub picture: Option<PathBuf>,
    /// Colours of the picture
    #[arg(long, value_enum, default_value = "light", requires = "picture")]
    pub scheme: PictureScheme,
    /// Exit with 1 if a figure of the fix, or of the one server, is worse than in the first file by more than this,
    /// in percent; with 3 if one of the runs is invalid
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub fail_on_regression: Option<f64>,
}

/// Shown below the options.
const RULE: &str = "What --fail-on-regression compares, of the fix (the arms of fixed-server, or a repair under \
                    --expect-fixed) or of the one server under load:\n  \
                    latency of each health check while loaded: p50, p90, p99; those failed or timed out\n  \
                    time to first token: p50, p90, p99; streams lost (failed, truncated, stalled)\n  \
                    calls with a whole answer: p50, p90, p99; those that failed\n  \
                    processor time for each chunk, peak memory, peak threads\n  \
                    of a diagnosis instead: whether the server collapses with fewer streams, or no longer streams\n\
                    The largest value of a run is not compared: one busy moment of the machine decides it. Neither is \
                    a difference that is noise whatever its percentage: up to 5 ms at p50 and p90, 10 ms at p99, 20 \
                    µs for each chunk, 16 MB, 2 threads. A failure is never noise. It is a regression too if the \
                    first run held and the other did not.";
