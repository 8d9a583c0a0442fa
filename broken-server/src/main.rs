//! The program: flags, logs, the listening line, exit codes. See the library for everything else.

use std::io::{self, Write};
use std::process::{self, ExitCode};

use anyhow::Context;
use broken_server::settings::Settings;
use broken_server::{bind, registry, run};
use gateway::Signals;
use program::{logs, parent};

/// Exit code for everything but a bad flag, for which clap exits with 2.
const FAILED: u8 = 1;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let settings = Settings::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    if settings.list {
        // A reader that has seen enough (`--list | head`) is no failure.
        let _ = io::stdout().write_all(registry::list().as_bytes());
        return ExitCode::SUCCESS;
    }
    let _logs = logs::init(settings.log_format, settings.log_level.clone());
    match start(&settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("broken-server: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

async fn start(settings: &Settings) -> anyhow::Result<()> {
    parent::exit_with_parent().context("cannot watch the parent process")?;
    let mut signals = Signals::catch().context("cannot listen for signals")?;
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
    let listener = bind(settings.listen).with_context(|| format!("cannot listen on {}", settings.listen))?;
    let addr = listener.local_addr().context("cannot read the address listened on")?;
    eprintln!("broken-server: listening on http://{addr}");
    let mistake = settings.mistake;
    tracing::info!(mistake = mistake.name, symptom = mistake.symptom, file = mistake.file, "what to look for");

    let shutdown = async {
        signals.next().await;
        tracing::info!("stopping; a second signal stops at once");
        tokio::spawn(async move {
            signals.next().await;
            process::exit(i32::from(FAILED));
        });
    };
    run(listener, settings, Box::pin(shutdown)).await.map_err(Into::into)
}
