//! Arguments of `serve`.

use clap::Args;

use super::labs::Programs;

/// `loadgen serve`
#[derive(Debug, Args)]
#[command(after_help = HOW_TO_USE)]
pub struct ServeArgs {
    /// Port to listen on, on 127.0.0.1; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value = "7000")]
    pub port: u16,
    /// Where the programs are.
    #[command(flatten)]
    pub programs: Programs,
}

/// Shown below the options.
const HOW_TO_USE: &str = "Open the URL that it prints in a browser on this machine: only that may use it. All pages show \
                          and drive the same run, and closing one stops nothing. Ctrl-C stops the servers and their \
                          vendors, and ends.";
