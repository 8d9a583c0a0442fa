//! A program that runs to its end, and all that it prints.

use std::io::{self, Read, Write};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::child::{Process, REST_OF_OUTPUT};
use crate::error::StartError;
use crate::launch::Launch;
use crate::poll;

/// What a program left that has ended.
#[derive(Debug)]
pub struct Output {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it printed to stdout.
    pub stdout: String,
    /// What it printed to stderr.
    pub stderr: String,
}

impl Output {
    /// Its exit code, or none when a signal ended it.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }
}

impl Launch {
    /// Runs it to its end, at most for `timeout`. Its standard input is empty.
    ///
    /// # Errors
    /// [`StartError::Spawn`]; [`StartError::Wait`] when it still runs, in which case it is killed.
    pub async fn output(self, timeout: Duration) -> Result<Output, StartError> {
        let running = Running::spawn(self)?;
        let status = running.process.wait(timeout).await?;
        poll::until(REST_OF_OUTPUT, || running.is_read()).await;
        Ok(running.output(status))
    }

    /// [`Launch::output`] for a thread that may block.
    ///
    /// # Errors
    /// As [`Launch::output`].
    pub fn output_blocking(self, timeout: Duration) -> Result<Output, StartError> {
        let running = Running::spawn(self)?;
        let status = running.process.wait_blocking(timeout)?;
        poll::until_blocking(REST_OF_OUTPUT, || running.is_read());
        Ok(running.output(status))
    }
}

struct Running {
    process: Process,
    stdout: Reader,
    stderr: Reader,
}

impl Running {
    fn spawn(launch: Launch) -> Result<Self, StartError> {
        let process = launch.empty_stdin().piped().spawn()?;
        let (stdout, stderr) = (Reader::new(process.take_stdout()), Reader::new(process.take_stderr()));
        Ok(Running { process, stdout, stderr })
    }

    fn is_read(&self) -> Option<()> {
        (self.stdout.thread.is_finished() && self.stderr.thread.is_finished()).then_some(())
    }

    fn output(self, status: ExitStatus) -> Output {
        Output { status, stdout: self.stdout.text(), stderr: self.stderr.text() }
    }
}

/// A thread that reads a pipe to its end.
struct Reader {
    bytes: Bytes,
    thread: JoinHandle<()>,
}

#[derive(Clone, Default)]
struct Bytes(Arc<Mutex<Vec<u8>>>);

impl Reader {
    fn new(pipe: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Bytes::default();
        let mut read = bytes.clone();
        let thread = thread::spawn(move || {
            // What was read before an error is still worth showing.
            let _ = pipe.map(|mut pipe| io::copy(&mut pipe, &mut read));
        });
        Reader { bytes, thread }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Bytes {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
