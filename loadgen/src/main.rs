//! `loadgen`: loads a server with slow streams, probes its health meanwhile, and judges the result.

use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, FromArgMatches};
use loadgen::cli::Cli;
use loadgen::commands::{self, EXIT_INVALID};
use loadgen::report::Terminal;
use program::environment::with_variables;
use program::signals::Signals;
use program::stderr::print_line;

fn main() -> ExitCode {
    let given = with_variables(Cli::command()).get_matches();
    let cli = Cli::from_arg_matches(&given).unwrap_or_else(|error| error.exit());
    match run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            print_error(format_args!("{error:#}"));
            ExitCode::from(EXIT_INVALID)
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<u8> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the async runtime")?;
    let code = runtime.block_on(async {
        let terminal = Terminal::stdout();
        let mut signals = Signals::catch().context("cannot listen for signals")?;
        let ended = tokio::select! {
            ended = commands::execute(&cli.command, &terminal) => ended,
            // Dropping the command's future stops every program that it started.
            name = signals.next() => {
                if cli.command.is_ended_by_signal() {
                    return Ok(0);
                }
                print_error(format_args!("stopped by {name}; all started programs are stopped, there is no verdict"));
                return Ok(EXIT_INVALID);
            }
        };
        Ok(match ended {
            Ok(ended) => {
                if !ended.kept.is_empty() {
                    signals.next().await;
                }
                ended.exit_code
            }
            Err(error) => {
                print_error(format_args!("{error}"));
                error.exit_code()
            }
        })
    });
    runtime.shutdown_background();
    code
}

fn print_error(what: std::fmt::Arguments<'_>) {
    print_line(&format!("loadgen: {what}"));
}
