//! The worker process, and how it knows that it is one.

use std::env;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::process::Child;

use super::channel::{Beats, Heart, Pulse};

/// Environment variable of a worker: its standard input is the listening socket, and its standard output the channel to
/// its watchdog. inetd hands sockets on like this too. The value is the number of workers that were killed before it.
const WORKER: &str = "WATCHDOG_WORKER";

/// Workers that were killed before this one.
static KILLED: AtomicU64 = AtomicU64::new(0);

/// Heartbeats in the time-out of the watchdog.
const BEATS: u32 = 10;

/// What this process is under a watchdog.
#[derive(Debug)]
pub enum Role {
    /// The watchdog itself, or a server without one.
    First,
    /// A worker: it serves on this socket, and sends heartbeats.
    Worker(TcpListener, Heart),
}

/// What this process is under a watchdog that allows `silence`.
///
/// # Errors
/// The system refuses the use of the socket or the channel.
pub fn role(silence: Option<Duration>) -> io::Result<Role> {
    let (Some(silence), Some(killed)) = (silence, env::var_os(WORKER)) else { return Ok(Role::First) };
    KILLED.store(killed.to_string_lossy().parse().unwrap_or(0), Relaxed);
    let listener = TcpListener::from(io::stdin().as_fd().try_clone_to_owned()?);
    let channel = UnixStream::from(io::stdout().as_fd().try_clone_to_owned()?);
    Ok(Role::Worker(listener, Heart::new(channel, silence / BEATS)?))
}

/// Workers of this process's watchdog that were killed so far, because they had been silent for too long; 0 without a
/// watchdog.
#[must_use]
pub fn workers_killed() -> u64 {
    KILLED.load(Relaxed)
}

/// A worker, as its watchdog sees it. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    pulse: Pulse,
}

impl Worker {
    /// Starts this program again, with the same arguments, after so many workers were `killed`.
    pub(super) fn start(listener: &TcpListener, killed: u64) -> io::Result<Self> {
        let (own, theirs) = UnixStream::pair()?;
        let mut words = env::args_os();
        let program = words.next().map_or_else(env::current_exe, |program| Ok(program.into()))?;
        let mut command = Command::new(program);
        command.args(words).env(WORKER, killed.to_string());
        command.stdin(OwnedFd::from(listener.try_clone()?)).stdout(OwnedFd::from(theirs));
        let mut command = tokio::process::Command::from(command);
        let child = command.kill_on_drop(true).spawn()?;
        // Dropped here, the command closes its own copy of the worker's end, which would otherwise stay open.
        drop(command);
        Ok(Worker { child, pulse: Pulse::new(own)? })
    }

    /// Its process id, while it runs.
    pub(super) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for its next heartbeat.
    pub(super) async fn beat(&mut self) -> io::Result<Beats> {
        self.pulse.next().await
    }

    /// Asks it to stop.
    pub(super) async fn ask_to_stop(&mut self) -> io::Result<()> {
        self.pulse.ask_to_stop().await
    }

    /// Kills it, and waits for its end.
    pub(super) async fn kill(&mut self) -> io::Result<()> {
        self.child.kill().await
    }

    /// Waits for its end.
    pub(super) async fn exited(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }
}
