//! What the program does in place of serving.

mod key;

use clap::Subcommand;

pub use key::{KeyCommand, KeyCommandError};

/// What the program does in place of serving.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Add, list and revoke the keys of clients of /v1.
    Key(KeyCommand),
}
