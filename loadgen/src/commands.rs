//! The commands: each turns its arguments into an exit code.

mod balancer;
mod conclusion;
mod demo;
mod diagnose;
mod diagnose_options;
mod error;
mod hint;
mod interactive;
mod invocation;
mod lab;
mod lab_view;
mod labs;
mod labs_stage;
mod observation;
mod outcome;
mod outputs;
mod preflight;
mod report;
mod run;
mod sequence;
mod serve;
mod so_far;
mod stage;
mod target;
mod target_view;
mod verify;
mod warnings;
mod watch;

use futures_util::future::LocalBoxFuture;

use crate::cli::Command;
use crate::report::Terminal;

pub use error::{CommandError, EXIT_INVALID, EXIT_USAGE};
pub use outcome::CommandOutcome;

/// Runs a command to its end.
///
/// Boxed, so that the program does not compile the commands a second time: the future of an `async fn` is
/// compiled where it is polled.
///
/// # Errors
/// [`CommandError`] if there is no verdict.
pub fn execute<'a>(
    command: &'a Command,
    terminal: &'a Terminal,
) -> LocalBoxFuture<'a, Result<CommandOutcome, CommandError>> {
    Box::pin(async move {
        preflight::check_outputs(&command.outputs())?;
        Ok(match command {
            Command::Demo(args) => demo::execute(args, terminal).await?.into(),
            Command::Lab(args) => lab::execute(args, terminal).await?,
            Command::Labs(args) => labs::execute(args, terminal).await?.into(),
            Command::Run(args) => run::execute(args, terminal).await?.into(),
            Command::Sequence(args) => sequence::execute(args, terminal).await?.into(),
            Command::Diagnose(args) => diagnose::execute(args, terminal).await?.into(),
            Command::Verify(args) => verify::execute(args, terminal).await?.into(),
            Command::Report(args) => report::execute(args, terminal)?.into(),
            Command::Serve(args) => match serve::execute(args).await? {},
            Command::Balancer(args) => balancer::execute(args).await?.into(),
            Command::Watch(args) => watch::execute(args, terminal).await?.into(),
        })
    })
}
