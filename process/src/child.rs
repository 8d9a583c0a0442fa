//! A child process.

use std::process::{Child, ChildStderr, ChildStdout, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::drain::Unread;
use crate::error::{SignalError, WaitError};
use crate::log::Log;
use crate::poll;
use crate::signal::Signal;
use crate::usage::{Usage, usage_of};

/// Longest wait for the rest of the output of a process that has ended: its own child may hold the pipe.
pub(crate) const REST_OF_OUTPUT: Duration = Duration::from_secs(1);

/// A child process. Dropped, it is killed and waited for.
#[derive(Debug)]
pub struct Process {
    name: String,
    command_line: String,
    pid: u32,
    child: Mutex<Child>,
    log: Arc<Log>,
    #[expect(dead_code, reason = "held, not read")]
    unread: Option<Unread>,
}

impl Process {
    pub(crate) fn new(name: String, command_line: String, child: Child, log: Arc<Log>, unread: Option<Unread>) -> Self {
        Process { name, command_line, pid: child.id(), child: Mutex::new(child), log, unread }
    }

    /// The program's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its name and arguments, as one would type them.
    #[must_use]
    pub fn command_line(&self) -> &str {
        &self.command_line
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The last lines of its stderr.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.log.lines()
    }

    /// The last lines of its stderr as one line for an error message.
    #[must_use]
    pub fn last_lines(&self) -> String {
        self.log.summary()
    }

    /// What it has used, or none when it has ended.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        usage_of(self.pid)
    }

    /// Its exit status, once it has ended.
    pub fn status(&self) -> Option<ExitStatus> {
        self.child().try_wait().ok().flatten()
    }

    /// Its exit status and last lines as a message, once it has ended.
    pub fn ended(&self) -> Option<String> {
        let status = self.status()?;
        Some(format!("{} ended ({status}): {}", self.name, self.last_lines()))
    }

    /// Waits at most `timeout` for its end. After that its log is complete.
    ///
    /// # Errors
    /// [`WaitError`] when it still runs.
    pub async fn wait(&self, timeout: Duration) -> Result<ExitStatus, WaitError> {
        let status = poll::until(timeout, || self.status()).await.ok_or_else(|| self.wait_error(timeout))?;
        poll::until(REST_OF_OUTPUT, || self.log.is_complete().then_some(())).await;
        Ok(status)
    }

    /// [`Process::wait`] for a thread that may block.
    ///
    /// # Errors
    /// [`WaitError`] when it still runs.
    pub fn wait_blocking(&self, timeout: Duration) -> Result<ExitStatus, WaitError> {
        let status = poll::until_blocking(timeout, || self.status()).ok_or_else(|| self.wait_error(timeout))?;
        poll::until_blocking(REST_OF_OUTPUT, || self.log.is_complete().then_some(()));
        Ok(status)
    }

    /// Sends `signal`, without waiting for its effect.
    ///
    /// # Errors
    /// [`SignalError`] when it has ended.
    pub fn signal(&self, signal: Signal) -> Result<(), SignalError> {
        // Locked, so that nobody waits for it meanwhile and its id is still its own.
        let mut child = self.child();
        let sent = match child.try_wait() {
            Ok(Some(status)) => Err(format!("it has ended ({status})")),
            Ok(None) => signal.send(self.pid),
            Err(error) => Err(error.to_string()),
        };
        sent.map_err(|reason| SignalError { program: self.name.clone(), signal, reason })
    }

    /// Sends SIGTERM, and SIGKILL when it still runs after `grace`. Its status says which of the two ended it.
    ///
    /// # Errors
    /// [`WaitError`] when it runs on in spite of SIGKILL.
    pub async fn stop(&self, grace: Duration) -> Result<ExitStatus, WaitError> {
        // An error says that it has ended already.
        let _ = self.signal(Signal::Term);
        match self.wait(grace).await {
            Ok(status) => Ok(status),
            Err(_) => {
                self.kill();
                self.wait(grace).await
            }
        }
    }

    /// Kills it, unless it has ended.
    pub fn kill(&self) {
        let _ = self.child().kill();
    }

    /// Its stdout, once, if it was started with [`Launch::piped`](crate::Launch::piped).
    pub fn take_stdout(&self) -> Option<ChildStdout> {
        self.child().stdout.take()
    }

    /// Its stderr, once, if it was started with [`Launch::piped`](crate::Launch::piped).
    pub fn take_stderr(&self) -> Option<ChildStderr> {
        self.child().stderr.take()
    }

    /// Kills it, unless it has ended, and waits for its end.
    pub(crate) fn kill_and_wait(&self) {
        let mut child = self.child();
        let _ = child.kill();
        let _ = child.wait();
    }

    pub(crate) fn log_handle(&self) -> &Log {
        &self.log
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_error(&self, timeout: Duration) -> WaitError {
        WaitError { program: self.name.clone(), timeout, last_lines: self.last_lines() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Killed, not asked: a server whose threads are all taken may use up its grace.
        self.kill_and_wait();
    }
}
