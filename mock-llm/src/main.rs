//! The program: flags, log, exit code.

use std::process::ExitCode;

use anyhow::Context as _;
use mock_llm::args::Args;
use mock_llm::{Settings, bind, run};
use program::signals::Signals;
use program::stderr::print_line;
use program::{logs, parent};

fn main() -> ExitCode {
    let (args, settings) = Args::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    let _logs = logs::init(args.log_format, args.log_level.clone());
    match serve(&args, settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_line(&format!("mock-llm: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn serve(args: &Args, settings: Settings) -> anyhow::Result<()> {
    parent::exit_with_parent().context("cannot watch the parent process")?;
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
    // One thread: a thread per core was measured to cost 50% more CPU per token at low rates, and the mock shares
    // its machine with the programs under test.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")?;
    runtime.block_on(async {
        let listener = bind(args.listen).with_context(|| format!("cannot listen on {}", args.listen))?;
        let mut signals = Signals::catch().context("cannot listen for signals")?;
        let shutdown = async move {
            signals.next().await;
        };
        let addr = listener.local_addr().context("cannot tell the port")?;
        print_line(&format!("mock-llm: listening on http://{addr}"));
        run(listener, settings, Box::pin(shutdown)).await;
        Ok(())
    })
}
