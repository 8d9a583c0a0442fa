//! A child process that listens.

use std::net::SocketAddr;
use std::ops::Deref;
use std::time::Duration;

use crate::child::{Process, REST_OF_OUTPUT};
use crate::error::StartError;
use crate::launch::Launch;
use crate::poll;

/// How long a program may take until it listens: far longer than any takes on a busy machine.
pub const START_TIMEOUT: Duration = Duration::from_secs(20);

/// A child process that listens. Dropped, it is killed and waited for.
#[derive(Debug)]
pub struct ServerProcess {
    process: Process,
    addr: SocketAddr,
}

impl ServerProcess {
    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where it listens, as `http://ADDR`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

impl Deref for ServerProcess {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl Launch {
    /// Runs it and waits at most `timeout` until it prints where it listens.
    ///
    /// # Errors
    /// [`StartError`]; the process is then gone, as it is when this future is dropped.
    pub async fn start(self, timeout: Duration) -> Result<ServerProcess, StartError> {
        let process = self.spawn()?;
        let addr = process.listens(timeout).await?;
        Ok(ServerProcess { process, addr })
    }

    /// [`Launch::start`] for a thread that may block.
    ///
    /// # Errors
    /// As [`Launch::start`].
    pub fn start_blocking(self, timeout: Duration) -> Result<ServerProcess, StartError> {
        let process = self.spawn()?;
        let found = poll::until_blocking(timeout, || ready_or_ended(&process));
        if let Some(Found::Ended) = found {
            poll::until_blocking(REST_OF_OUTPUT, || process.log_handle().is_complete().then_some(()));
        }
        let addr = listening(&process, found, timeout)?;
        Ok(ServerProcess { process, addr })
    }
}

impl Process {
    /// Waits at most `timeout` until it prints where it listens.
    ///
    /// # Errors
    /// [`StartError`] when it has ended or the time is over.
    pub(crate) async fn listens(&self, timeout: Duration) -> Result<SocketAddr, StartError> {
        let found = poll::until(timeout, || ready_or_ended(self)).await;
        if let Some(Found::Ended) = found {
            poll::until(REST_OF_OUTPUT, || self.log_handle().is_complete().then_some(())).await;
        }
        listening(self, found, timeout)
    }
}

enum Found {
    Ready(SocketAddr),
    Ended,
}

fn ready_or_ended(process: &Process) -> Option<Found> {
    match process.log_handle().address() {
        Some(addr) => Some(Found::Ready(addr)),
        None => process.status().map(|_| Found::Ended),
    }
}

fn listening(process: &Process, found: Option<Found>, timeout: Duration) -> Result<SocketAddr, StartError> {
    let (program, last_lines) = (process.name().to_owned(), process.last_lines());
    match found {
        Some(Found::Ready(addr)) => Ok(addr),
        Some(Found::Ended) => {
            let status = process.status().map(|status| status.to_string()).unwrap_or_default();
            Err(StartError::Ended { program, status, last_lines })
        }
        None => Err(StartError::NotReady { program, timeout, last_lines }),
    }
}
