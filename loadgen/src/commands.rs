//! The commands, each from its arguments to an exit code.

mod before;
/// What a verdict means, in sentences.
mod conclusion;
mod demo;
mod lab;
mod labs;
mod remarks;
mod run;
mod single;
mod verify;
mod watch;

use futures_util::future::LocalBoxFuture;

use crate::cli::Command;
use crate::http::{Endpoint, EndpointError};
use crate::lab::{LabError, RunningArm};
use crate::measure::ProbeKind;
use crate::report::Terminal;
use crate::vendor::LedgerError;
use crate::verdict::ObjectiveError;

/// Exit code for bad usage, as clap has it.
pub const EXIT_USAGE: u8 = 2;
/// Exit code of a run that proves nothing.
pub const EXIT_INVALID: u8 = 3;

/// Why a command has no verdict.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A URL that is no target.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// An objective that cannot be read.
    #[error(transparent)]
    Objective(#[from] ObjectiveError),
    /// Arguments that contradict each other.
    #[error("{0}")]
    Usage(String),
    /// A lab that could not be run to its end.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// Nobody answers at the URL.
    #[error("no server answers at {url}: {why}")]
    NoServer {
        /// The URL.
        url: String,
        /// What happened.
        why: String,
    },
    /// A health check that fails while the server is idle.
    #[error("GET {path} {why} before any load: name your health check with {flag}")]
    HealthBeforeLoad {
        /// Its path.
        path: String,
        /// How it failed.
        why: String,
        /// The flag that names it.
        flag: &'static str,
    },
    /// The system does not allow enough open descriptors.
    #[error("this needs {needed} open descriptors, the limit is {limit}: raise it (`ulimit -n {needed}`)")]
    Descriptors {
        /// How many.
        needed: u64,
        /// How many there are.
        limit: u64,
    },
    /// The vendor's ledger cannot be read.
    #[error("the vendor's ledger cannot be read: {0}")]
    Ledger(#[from] LedgerError),
    /// The result file cannot be written.
    #[error("cannot write {path}: {source}")]
    Out {
        /// The file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// This program does not know where it is.
    #[error("cannot find the programs: {0}")]
    ProgramDir(std::io::Error),
}

impl CommandError {
    /// 2 for what the user asked, 3 for what kept the run from being one.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            CommandError::Endpoint(_) | CommandError::Objective(_) | CommandError::Usage(_) => EXIT_USAGE,
            _ => EXIT_INVALID,
        }
    }
}

/// How a command ended.
pub struct Ended {
    /// Its exit code.
    pub exit_code: u8,
    /// Programs that are to stay up until somebody says stop. Dropped, they are stopped.
    pub kept: Vec<RunningArm>,
}

impl From<u8> for Ended {
    fn from(exit_code: u8) -> Self {
        Ended { exit_code, kept: Vec::new() }
    }
}

/// Runs a command to its end.
///
/// Boxed: the future of an `async fn` is compiled where it is polled, and the program would compile
/// everything a second time.
///
/// # Errors
/// [`CommandError`] when it has no verdict.
pub fn execute<'a>(command: &'a Command, terminal: &'a Terminal) -> LocalBoxFuture<'a, Result<Ended, CommandError>> {
    Box::pin(async move {
        before::check_outputs(command)?;
        Ok(match command {
            Command::Demo(args) => demo::execute(args, terminal).await?.into(),
            Command::Lab(args) => lab::execute(args, terminal).await?,
            Command::Labs(args) => labs::execute(args, terminal).await?.into(),
            Command::Run(args) => run::execute(args, terminal).await?.into(),
            Command::Verify(args) => verify::execute(args, terminal).await?.into(),
            Command::Watch(args) => watch::execute(args, terminal).await?.into(),
        })
    })
}

/// Where streams are asked for unless somebody says otherwise.
const STREAM_PATH: &str = "/chat/stream";

/// The server of `--url` and the path of its streams, which may stand in either flag.
fn target(url: &str, path: Option<&str>) -> Result<(Endpoint, String), CommandError> {
    match (Endpoint::parse_with_path(url)?, path) {
        ((server, None), path) => Ok((server, path.unwrap_or(STREAM_PATH).to_owned())),
        ((server, Some(path)), None) => Ok((server, path)),
        ((server, Some(_)), Some(path)) => Err(CommandError::Usage(format!(
            "--url {url} has a path and --path {path} is another: give the server alone, --url {server}, and whole paths"
        ))),
    }
}

/// The probes that are asked for, or the usual pair.
fn probe_kinds(named: &[(String, String)]) -> Result<Vec<ProbeKind>, CommandError> {
    if named.is_empty() {
        return Ok(ProbeKind::defaults());
    }
    for (index, (name, path)) in named.iter().enumerate() {
        if let Some((_, other)) = named[..index].iter().find(|(earlier, _)| earlier == name) {
            return Err(CommandError::Usage(format!("--probe {name} is given twice, for {other} and for {path}")));
        }
    }
    Ok(named.iter().map(|(name, path)| ProbeKind::new(name, path)).collect())
}
