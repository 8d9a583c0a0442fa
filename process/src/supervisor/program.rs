//! What a supervisor runs: a process, or a script of a test.

use std::net::SocketAddr;
use std::time::Duration;

use crate::child::Process;
use crate::error::StartError;

/// A program under supervision.
pub(super) trait Program: Send + Sync + 'static {
    /// Waits until it listens, and returns where.
    fn ready(&self, timeout: Duration) -> impl Future<Output = Result<SocketAddr, StartError>> + Send;
    /// Waits for its end, and returns its exit status and last lines.
    fn end(&self) -> impl Future<Output = String> + Send;
    /// Sends SIGTERM, and SIGKILL after `grace`. Returns how it ended.
    fn stop(&self, grace: Duration) -> impl Future<Output = String> + Send;
    /// Kills it and waits for its end.
    fn kill(&self);
}

impl Program for Process {
    async fn ready(&self, timeout: Duration) -> Result<SocketAddr, StartError> {
        self.listens(timeout).await
    }

    async fn end(&self) -> String {
        // It runs on without limit; `wait` fails only at its time-out.
        let _ = self.wait(Duration::MAX).await;
        self.ended().unwrap_or_default()
    }

    async fn stop(&self, grace: Duration) -> String {
        match Process::stop(self, grace).await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }

    fn kill(&self) {
        self.kill_and_wait();
    }
}
