//! The program's commands other than serving.

mod key;

use clap::Subcommand;

pub use key::{KeyCommand, KeyCommandError};

/// A command other than serving.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Add, list and revoke the keys of clients of /v1.
    Key(KeyCommand),
}
