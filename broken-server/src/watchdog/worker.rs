//! The worker process, and how it knows that it is one.

use std::env;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use tokio::process::Child;

use super::channel::{Beats, Heart, Pulse};

/// Environment variable of a worker: its standard input is the listening socket, and its standard output the channel to
/// its watchdog. inetd hands sockets on like this too.
const WORKER: &str = "BROKEN_SERVER_IS_WORKER";

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
    let Some(silence) = silence.filter(|_| env::var_os(WORKER).is_some()) else { return Ok(Role::First) };
    let listener = TcpListener::from(io::stdin().as_fd().try_clone_to_owned()?);
    let channel = UnixStream::from(io::stdout().as_fd().try_clone_to_owned()?);
    Ok(Role::Worker(listener, Heart::new(channel, silence / BEATS)?))
}

/// A worker, as its watchdog sees it. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    pulse: Pulse,
}

impl Worker {
    /// Starts this program again, with the same arguments.
    pub(super) fn start(listener: &TcpListener) -> io::Result<Self> {
        let (own, theirs) = UnixStream::pair()?;
        let mut words = env::args_os();
        let program = words.next().map_or_else(env::current_exe, |program| Ok(program.into()))?;
        let mut command = Command::new(program);
        command.args(words).env(WORKER, "1");
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
