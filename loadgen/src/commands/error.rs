//! Why a command has no verdict, and its exit code.

use crate::comparison::NotComparable;
use crate::diagnose::DiagnoseError;
use crate::engine::LabError;
use crate::http::EndpointError;
use crate::merge::MergeError;
use crate::result::ReadError;
use crate::screen::NoScreen;
use crate::session::SessionError;
use crate::vendor::LedgerError;
use crate::verdict::ObjectiveError;

/// Exit code for bad usage, the same as clap's.
pub const EXIT_USAGE: u8 = 2;
/// Exit code of a page that cannot be served, because its port is taken.
const EXIT_NOT_SERVED: u8 = 1;
/// Exit code of an invalid run.
pub const EXIT_INVALID: u8 = 3;

/// Why a command has no verdict.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A URL that cannot be a target.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// An objective that cannot be read.
    #[error(transparent)]
    Objective(#[from] ObjectiveError),
    /// Arguments that contradict each other.
    #[error("{0}")]
    Usage(String),
    /// A result file that cannot be used.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Results that cannot be compared.
    #[error(transparent)]
    NotComparable(#[from] NotComparable),
    /// Results that cannot be merged.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// A lab that could not be completed.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// A diagnosis that could not begin.
    #[error(transparent)]
    Diagnose(#[from] DiagnoseError),
    /// No server answers at the URL.
    #[error("no server answers at {url}: {why}")]
    NoServer {
        /// The URL.
        url: String,
        /// What happened.
        why: String,
    },
    /// A health check that fails while the server is idle.
    #[error("GET {path} {why} before any load: set the path of your health check with {flag}")]
    HealthBeforeLoad {
        /// Its path.
        path: String,
        /// How it failed, after its path.
        why: String,
        /// The flag that names it.
        flag: &'static str,
    },
    /// The system does not allow enough open descriptors.
    #[error(
        "this run needs {needed} file descriptors, but the limit is {limit}; raise it with `ulimit -n {needed}`, or open fewer streams"
    )]
    Descriptors {
        /// Descriptors that are needed.
        needed: u64,
        /// Descriptors that are allowed.
        limit: u64,
    },
    /// The vendor's ledger could not be read.
    #[error("cannot read the vendor's ledger: {0}")]
    Ledger(#[from] LedgerError),
    /// The result file could not be written.
    #[error("cannot write {path}: {source}")]
    Out {
        /// The file.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A server of loadgen's own cannot work.
    #[error("cannot {what}: {source}")]
    Server {
        /// What it cannot do.
        what: String,
        /// The cause.
        source: std::io::Error,
    },
    /// The port of the playground is taken.
    #[error("port {port} is taken {who} choose another one with --port, such as --port {}", other_port(*.port))]
    PortTaken {
        /// The port.
        port: u16,
        /// By whom, up to what is advised.
        who: String,
    },
    /// broken-server cannot be run.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// There is no screen for what is only shown on one.
    #[error("--interactive needs a terminal, but {0}; without it, the demo prints lines and a verdict")]
    NoScreen(NoScreen),
    /// The screen was lost meanwhile.
    #[error("the dashboard has ended: {0}")]
    ScreenLost(String),
    /// The path of this program is unknown.
    #[error("cannot find the directory of the programs: {0}; set it with --program-dir")]
    ProgramDir(std::io::Error),
}

/// A port to try in place of this one.
fn other_port(port: u16) -> u16 {
    port.checked_add(1).unwrap_or(0)
}

impl CommandError {
    /// 2 for a mistake of the user, 1 for a port that is taken, 3 for everything else that prevented a verdict.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            CommandError::Diagnose(error) if error.is_usage() => EXIT_USAGE,
            CommandError::PortTaken { .. } => EXIT_NOT_SERVED,
            CommandError::Endpoint(_)
            | CommandError::Objective(_)
            | CommandError::Usage(_)
            | CommandError::Read(_)
            | CommandError::NoScreen(_)
            | CommandError::NotComparable(_)
            | CommandError::Merge(_) => EXIT_USAGE,
            _ => EXIT_INVALID,
        }
    }
}
