//! Keeps a program running by the rules of Kubernetes' liveness probes.

mod back_off;
mod lives;
mod program;
mod restart;
mod rules;
mod slot;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use self::lives::Lives;
use self::slot::{ClosesSlot, Slot};
use crate::child::Process;
use crate::launch::Launch;

pub use restart::{Cause, Restart, SupervisorError};
pub use rules::{BackOffRules, Rules};

/// A program under supervision: it is probed, stopped when it fails too many probes in a row, and started again on the
/// same port. Dropped, it is killed, also in the middle of a restart.
pub struct Supervisor {
    addr: SocketAddr,
    command_line: String,
    slot: ClosesSlot<Process>,
    task: JoinHandle<()>,
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
        let (addr, command_line) = (first.addr, first.program.command_line().to_owned());
        Ok(Supervisor { addr, command_line, slot, task: tokio::spawn(lives.go_on(first)) })
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

    /// A function that returns the process id of its program, or none between two lives.
    pub fn pid(&self) -> impl Fn() -> Option<u32> + Send + Sync + 'static {
        let slot = self.slot.0.clone();
        move || slot.program().map(|program| program.pid())
    }

    /// The name and arguments of its program's first life, as one would type them.
    #[must_use]
    pub fn command_line(&self) -> &str {
        &self.command_line
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
