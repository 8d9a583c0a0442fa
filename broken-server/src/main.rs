//! The program: flags, logs, the listening line, exit codes. See the library for everything else.

use std::future::pending;
use std::io::{self, Write};
use std::net::TcpListener;
use std::process::{self, ExitCode};

use anyhow::Context;
use broken_server::cli::Cli;
use broken_server::{bind, registry, run};
use program::signals::Signals;
use program::stderr::print_line;
use program::watchdog::{self, Heart, Role, Watchdog};
use program::{logs, parent};

/// The exit code of all errors except bad flags, for which clap exits with 2.
const FAILED: u8 = 1;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    if cli.list {
        // A reader that stops early (`--list | head`) is no error.
        let _ = io::stdout().write_all(registry::list(cli.group).as_bytes());
        return ExitCode::SUCCESS;
    }
    let _logs = logs::init(cli.settings.log_format, cli.settings.log_level.clone());
    match start(&cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_line(&format!("broken-server: {error:#}"));
            ExitCode::from(FAILED)
        }
    }
}

async fn start(cli: &Cli) -> anyhow::Result<()> {
    parent::exit_with_parent().context("cannot watch the parent process")?;
    let signals = Signals::catch().context("cannot listen for signals")?;
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "cannot raise the limit on open files");
    }
    let silence = cli.worker_timeout();
    if let Role::Worker(listener, heart) = watchdog::role(silence).context("cannot use the watchdog's channel")? {
        return serve(cli, listener, Some(heart), signals).await;
    }
    let listener = bind(cli.settings.listen).with_context(|| format!("cannot listen on {}", cli.settings.listen))?;
    match silence {
        None => {
            announce(&listener)?;
            serve(cli, listener, None, signals).await
        }
        Some(silence) => {
            let addr = listener.try_clone()?;
            let watchdog = Watchdog::start(listener, silence).await.context("cannot start a worker")?;
            announce(&addr)?;
            let watching = watchdog.run(cli.settings.shutdown_grace, signal(signals));
            watching.await.context("cannot start another worker")
        }
    }
}

/// Prints where it listens.
fn announce(listener: &TcpListener) -> anyhow::Result<()> {
    let addr = listener.local_addr().context("cannot read the address listened on")?;
    print_line(&format!("broken-server: listening on http://{addr}"));
    Ok(())
}

async fn serve(cli: &Cli, listener: TcpListener, heart: Option<Heart>, signals: Signals) -> anyhow::Result<()> {
    let mistake = cli.mistake;
    tracing::info!(mistake = mistake.name, symptom = mistake.symptom, file = mistake.file(), "what to look for");
    let asked = heart.clone();
    let shutdown = async {
        let asked_to_stop = async {
            match &asked {
                Some(heart) => heart.asked_to_stop().await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = signal(signals) => {}
            () = asked_to_stop => {}
        }
    };
    run(listener, cli, heart, Box::pin(shutdown)).await.map_err(Into::into)
}

/// Waits for a signal to stop. A second one ends the process.
async fn signal(mut signals: Signals) {
    signals.next().await;
    tracing::info!("stopping; a second signal stops at once");
    tokio::spawn(async move {
        signals.next().await;
        process::exit(i32::from(FAILED));
    });
}
