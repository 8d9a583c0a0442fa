//! Keeps a program running by the rules of Kubernetes' liveness probes.

mod back_off;
mod lives;
mod program;
mod rules;
mod slot;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use self::lives::Lives;
use self::slot::{ClosesSlot, Slot};
use crate::child::Process;
use crate::error::StartError;
use crate::launch::Launch;

pub use rules::{BackOffRules, Rules};

/// A program under supervision: it is probed, stopped when it fails too many probes in a row, and started again on the
/// same port. Dropped, it is killed, also in the middle of a restart.
pub struct Supervisor {
    addr: SocketAddr,
    slot: ClosesSlot<Process>,
    task: JoinHandle<()>,
}

/// A program that ended and was, or is about to be, started again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// When it had ended.
    pub at: Instant,
    /// Why it ended.
    pub cause: Cause,
    /// The last failed probe and the exit status, or the exit status and the last lines.
    pub detail: String,
    /// How long the restart waited.
    pub back_off: Duration,
}

/// Why a program under supervision ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The supervisor stopped it, because too many probes in a row had failed.
    Liveness,
    /// By itself, or it did not listen in time.
    Ended,
}

/// Why there is nothing to supervise.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// The program ended too often.
    #[error("it ended {ends} times in a row, without a successful probe in between; the last time: {detail}")]
    GaveUp {
        /// How often.
        ends: u32,
        /// Its last exit status and last lines.
        detail: String,
    },
    /// The system cannot run it.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl Supervisor {
    /// Starts the program of `launch`, which must not say where it listens, waits until it listens, and supervises it from
    /// then on. `probe` fails with what it found; a late one counts as failed.
    ///
    /// # Errors
    /// [`SupervisorError`] when it does not listen. A program that ends at once is started again by the rules, until the
    /// supervisor gives up.
    pub async fn start<Answer>(
        launch: Launch,
        rules: Rules,
        start_timeout: Duration,
        probe: impl Fn(SocketAddr) -> Answer + Send + 'static,
    ) -> Result<Self, SupervisorError>
    where
        Answer: Future<Output = Result<(), String>> + Send + 'static,
    {
        let slot = ClosesSlot(Arc::new(Slot::new()));
        let spawn = move |on: Option<SocketAddr>| match on {
            None => launch.clone().on_free_port().spawn(),
            Some(addr) => launch.clone().listening_on(addr).spawn(),
        };
        let mut lives = Lives::new(slot.0.clone(), rules, start_timeout, spawn, probe);
        let first = lives.begin(None).await?;
        let addr = first.addr;
        Ok(Supervisor { addr, slot, task: tokio::spawn(lives.go_on(first)) })
    }

    /// Where its program listens, in all its lives.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its program, or none between two lives.
    #[must_use]
    pub fn program(&self) -> Option<Arc<Process>> {
        self.slot.0.program()
    }

    /// All restarts so far.
    #[must_use]
    pub fn restarts(&self) -> Vec<Restart> {
        self.slot.0.restarts()
    }

    /// Why it has given up, if it has.
    #[must_use]
    pub fn gave_up(&self) -> Option<String> {
        self.slot.0.gave_up()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.task.abort();
    }
}
