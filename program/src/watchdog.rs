//! A watchdog over a worker process, as gunicorn has over its workers.
//!
//! The watchdog owns the listening socket. It starts this program again as its worker, which accepts connections on that
//! socket, and sends a heartbeat from its event loop. A worker that has been silent for the time-out is killed, with all
//! requests that it had under way, and another takes its place on the same socket. So the time-out is not about
//! requests: an event loop that waits for a slow answer goes on sending heartbeats, and only one that is blocked does not.

mod channel;
mod worker;

use std::io;
use std::net::TcpListener;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use self::channel::Beats;
use self::worker::Worker;

pub use self::channel::Heart;
pub use self::worker::{Role, role, workers_killed};

/// How long a worker may take until its first heartbeat, if the time-out is not longer: a program that is slow to start
/// is not blocked.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// How much longer than its own grace a worker may take to stop.
const STOP_MARGIN: Duration = Duration::from_secs(5);

/// A watchdog with its first worker.
#[derive(Debug)]
pub struct Watchdog {
    listener: TcpListener,
    /// How long a worker may be silent.
    silence: Duration,
    worker: Worker,
    /// Workers that were killed because they had been silent for that long.
    killed: u64,
}

impl Watchdog {
    /// Starts a worker on `listener` and waits for its first heartbeat.
    ///
    /// # Errors
    /// The worker cannot be started, or has ended or been silent instead.
    pub async fn start(listener: TcpListener, silence: Duration) -> io::Result<Self> {
        let worker = Worker::start(&listener, 0)?;
        let mut watchdog = Watchdog { listener, silence, worker, killed: 0 };
        watchdog.first_beat().await?;
        Ok(watchdog)
    }

    /// Watches until `shutdown` is ready. Then the worker may stop within `grace`.
    ///
    /// # Errors
    /// A worker that cannot be started again.
    pub async fn run(mut self, grace: Duration, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        tokio::pin!(shutdown);
        loop {
            let end = tokio::select! {
                end = end_of(&mut self.worker, self.silence) => end?,
                () = &mut shutdown => return self.stop(grace).await,
            };
            let pid = self.worker.pid();
            match end {
                End::Silent => {
                    self.killed += 1;
                    tracing::error!(pid, "worker timeout: no heartbeat for {:?}, killing it", self.silence);
                }
                End::Exited(status) => tracing::error!(pid, %status, "the worker ended, starting another"),
            }
            self.worker.kill().await?;
            self.worker = Worker::start(&self.listener, self.killed)?;
            self.first_beat().await?;
        }
    }

    async fn first_beat(&mut self) -> io::Result<()> {
        match timeout(START_TIMEOUT.max(self.silence), next_beat(&mut self.worker)).await {
            Ok(Ok(None)) => Ok(()),
            Ok(Ok(Some(status))) => {
                Err(io::Error::other(format!("the worker ended before its first heartbeat ({status})")))
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(io::Error::other("the worker sent no heartbeat")),
        }
    }

    async fn stop(mut self, grace: Duration) -> io::Result<()> {
        self.worker.ask_to_stop().await?;
        match timeout(grace.saturating_add(STOP_MARGIN), self.worker.exited()).await {
            Ok(status) => status.map(drop),
            Err(_) => {
                tracing::warn!("the worker did not stop in time: killing it");
                Ok(())
            }
        }
    }
}

/// Why a worker has to be replaced.
enum End {
    Silent,
    Exited(ExitStatus),
}

/// Waits until the worker is silent for too long, or has ended.
async fn end_of(worker: &mut Worker, silence: Duration) -> io::Result<End> {
    loop {
        let until = Instant::now() + silence;
        match timeout_at(until, next_beat(worker)).await {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(status))) => return Ok(End::Exited(status)),
            Ok(Err(error)) => return Err(error),
            Err(_) => return Ok(End::Silent),
        }
    }
}

/// Waits for the next heartbeat; returns the exit status if the worker has ended instead.
async fn next_beat(worker: &mut Worker) -> io::Result<Option<ExitStatus>> {
    match worker.beat().await? {
        Beats::Beat => Ok(None),
        Beats::Closed => worker.exited().await.map(Some),
    }
}
