//! The program: flags, logs, the listening line, exit codes. See the library for everything else.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::process::{self, ExitCode};

use anyhow::Context;
use fixed_server::commands::Command;
use fixed_server::settings::Settings;
use fixed_server::{Server, bind};
use program::signals::Signals;
use program::stderr::print_line;
use program::watchdog::{self, Heart, Role, Watchdog};
use program::{logs, parent};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

/// Exit code for everything but a bad flag, for which clap exits with 2.
const FAILED: u8 = 1;

fn main() -> ExitCode {
    let settings = Settings::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    let _logs = logs::init(settings.log_format, settings.log_level.clone());
    match start(&settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_line(&format!("fixed-server: {error:#}"));
            ExitCode::from(FAILED)
        }
    }
}

fn start(settings: &Settings) -> anyhow::Result<()> {
    parent::exit_with_parent().context("cannot watch the parent process")?;
    let runtime = match settings.worker_threads {
        // This thread runs the event loop: no other thread has to be woken up.
        1 => Builder::new_current_thread().enable_all().build(),
        threads => Builder::new_multi_thread().worker_threads(threads.into()).enable_all().build(),
    };
    let runtime = runtime.context("cannot start the runtime")?;
    let served = runtime.block_on(async {
        match &settings.command {
            None => serve(settings).await,
            Some(Command::Key(command)) => Ok(command.run(&mut io::stdout(), &mut io::stderr()).await?),
        }
    });
    // Connections that are still open must not keep the program from exiting.
    runtime.shutdown_background();
    served
}

async fn serve(settings: &Settings) -> anyhow::Result<()> {
    let signals = Signals::catch().context("cannot listen for signals")?;
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
    let silence = settings.worker_timeout.0;
    if let Role::Worker(listener, heart) = watchdog::role(silence).context("cannot use the watchdog's channel")? {
        return work(settings, listener, heart, signals).await;
    }
    if settings.limits.upstream.first_token_timeout > settings.limits.call.sla {
        tracing::warn!("--first-token-timeout is never reached: --sla ends the wait for a first token before it");
    }
    // Before the database is opened: a server that cannot listen changes nothing there and reports one error.
    let listener = bind(settings.listen).with_context(|| format!("cannot listen on {}", settings.listen))?;
    let addr = listener.local_addr().context("cannot read the address listened on")?;
    match silence {
        None => {
            let server = Server::open(settings).await?;
            announce(addr);
            server.run(listener, Box::pin(signal(signals))).await;
            Ok(())
        }
        Some(silence) => {
            let watchdog = Watchdog::start(listener.into_std()?, silence).await.context("cannot start a worker")?;
            announce(addr);
            let watching = watchdog.run(settings.limits.shutdown_grace, signal(signals));
            watching.await.context("cannot start another worker")
        }
    }
}

/// Prints where it listens.
fn announce(addr: SocketAddr) {
    print_line(&format!("fixed-server: listening on http://{addr}"));
}

/// Serves on the watchdog's socket, until the watchdog or a signal asks it to stop.
async fn work(settings: &Settings, listener: StdListener, heart: Heart, signals: Signals) -> anyhow::Result<()> {
    listener.set_nonblocking(true).context("cannot use the watchdog's socket")?;
    let listener = TcpListener::from_std(listener).context("cannot use the watchdog's socket")?;
    let server = Server::open(settings).await?;
    // A task among those of the requests: it runs only if they let it.
    tokio::spawn(heart.clone().beat());
    let shutdown = async move {
        tokio::select! {
            () = signal(signals) => {}
            () = heart.asked_to_stop() => {}
        }
    };
    server.run(listener, Box::pin(shutdown)).await;
    Ok(())
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
