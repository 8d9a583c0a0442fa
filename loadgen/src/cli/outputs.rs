//! The files that a command writes its result to.

use std::path::PathBuf;

use clap::Args;

/// `--out` and `--html`.
#[derive(Debug, Clone, Default, Args)]
pub struct Outputs {
    /// Write the result to this file as JSON
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write the result to this file as an HTML page, which needs nothing else
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

impl Outputs {
    /// The flag of the first file, if there is one.
    #[must_use]
    pub fn first_flag(&self) -> Option<&'static str> {
        let flags = [("--out", self.out.is_some()), ("--html", self.html.is_some())];
        flags.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }
}
