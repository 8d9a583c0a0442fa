//! How a run is shown while it is under way.

use clap::Args;

/// How a run is shown while it is under way.
#[derive(Debug, Clone, Copy, Args)]
pub struct Display {
    /// Print a line per second, also on a terminal, which otherwise gets a dashboard
    #[arg(long)]
    pub plain: bool,
}
