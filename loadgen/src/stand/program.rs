//! One child process.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use program::parent::EXIT_WITH_PARENT;
use tokio::sync::oneshot;

/// One start at a time. Where a pipe cannot be made private in one step (macOS), a child that is started
/// meanwhile would inherit another's writing end, and keep it open when this process is gone.
static STARTING: Mutex<()> = Mutex::new(());

/// A child process that serves HTTP. Dropped, it is killed and waited for. When this process ends without
/// time to drop anything, the child ends by itself: see [`EXIT_WITH_PARENT`].
#[derive(Debug)]
pub struct Program {
    name: String,
    args: Vec<String>,
    child: Child,
    addr: SocketAddr,
    last_lines: Arc<Mutex<VecDeque<String>>>,
}

/// Why a program does not serve.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It is not there.
    #[error("{program} cannot be started ({source}); build it first with `make build`")]
    Spawn {
        /// Its path.
        program: String,
        /// Why not.
        source: std::io::Error,
    },
    /// It ended before it listened.
    #[error("{program} ended before it was ready ({status}): {last_lines}")]
    Ended {
        /// Its name.
        program: String,
        /// How it ended.
        status: String,
        /// The last that it said.
        last_lines: String,
    },
    /// It did not say that it listens.
    #[error("{program} was not ready within {timeout:?}: {last_lines}")]
    NotReady {
        /// Its name.
        program: String,
        /// How long it was given.
        timeout: Duration,
        /// The last that it said.
        last_lines: String,
    },
}

impl Program {
    /// Lines of a program's output that are kept for an error message.
    const LINES_KEPT: usize = 12;
    /// Longest piece of a line that is kept; the rest is read and dropped.
    const LINE_BYTES_MAX: u64 = 4096;
    const READY: &str = "listening on http://";

    /// Starts `dir/name` with `args` on a free port of the loopback interface and waits until it
    /// says that it listens, at most `timeout`.
    ///
    /// # Errors
    /// [`StartError`]; the process is then gone, as it is when this future is dropped.
    pub async fn start(dir: &Path, name: &str, args: &[String], timeout: Duration) -> Result<Self, StartError> {
        let path = dir.join(name);
        let mut command = Command::new(&path);
        command.args(["--listen", "127.0.0.1:0"]).args(args);
        // The child's standard input stays open, with nothing to read, for as long as this process lives.
        command.env(EXIT_WITH_PARENT, "1").stdin(Stdio::piped());
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        own_process_group(&mut command);
        let spawned = {
            let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
            command.spawn()
        };
        let spawn_error = |source| StartError::Spawn { program: path.display().to_string(), source };
        let mut child = spawned.map_err(spawn_error)?;

        let last_lines = Arc::new(Mutex::new(VecDeque::new()));
        let (ready, is_ready) = oneshot::channel();
        if let Some(stderr) = child.stderr.take() {
            let lines = last_lines.clone();
            // Read to the end: a child whose pipe is full stands still.
            thread::spawn(move || drain(stderr, &lines, ready));
        }
        // From here on a drop kills it.
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut program = Program { name: name.to_owned(), args: args.to_owned(), child, addr, last_lines };
        program.addr = program.wait_ready(is_ready, timeout).await?;
        Ok(program)
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its name and arguments, as one would type them.
    #[must_use]
    pub fn command_line(&self) -> String {
        [std::slice::from_ref(&self.name), &self.args].concat().join(" ")
    }

    /// What it said last, if it has ended by itself.
    pub fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok().flatten()?;
        Some(format!("{} ended ({status}): {}", self.name, self.said()))
    }

    async fn wait_ready(
        &mut self,
        is_ready: oneshot::Receiver<SocketAddr>,
        timeout: Duration,
    ) -> Result<SocketAddr, StartError> {
        match tokio::time::timeout(timeout, is_ready).await {
            Ok(Ok(addr)) => Ok(addr),
            Err(_) => Err(StartError::NotReady { program: self.name.clone(), timeout, last_lines: self.said() }),
            // Its output ended, so it has ended or is about to.
            Ok(Err(_)) => {
                let status = self.wait_ended().await;
                Err(StartError::Ended { program: self.name.clone(), status, last_lines: self.said() })
            }
        }
    }

    async fn wait_ended(&mut self) -> String {
        const POLLS: u32 = 20;
        for _ in 0..POLLS {
            match self.child.try_wait() {
                Ok(Some(status)) => return status.to_string(),
                Ok(None) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(error) => return error.to_string(),
            }
        }
        "it closed its output and goes on".to_owned()
    }

    fn said(&self) -> String {
        let lines = self.last_lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.is_empty() { "it said nothing".to_owned() } else { Vec::from_iter(lines.iter().cloned()).join(" | ") }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Killed, not asked: a server whose threads are all taken may take its grace to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps a terminal's Ctrl-C from the children: this process stops them, in its order.
fn own_process_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

fn drain(output: impl Read, lines: &Mutex<VecDeque<String>>, ready: oneshot::Sender<SocketAddr>) {
    let mut ready = Some(ready);
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut output).take(Program::LINE_BYTES_MAX).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if let Some(addr) = listening_address(&text)
            && let Some(ready) = ready.take()
        {
            // Nobody waits any more: the start was given up.
            let _ = ready.send(addr);
        }
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == Program::LINES_KEPT {
            lines.pop_front();
        }
        lines.push_back(text);
    }
}

fn listening_address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(Program::READY)?;
    let end = rest.find(|c: char| c.is_whitespace() || c == '"' || c == '/').unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_any_log_format() {
        let expected = "127.0.0.1:8000".parse().ok();
        assert_eq!(listening_address("listening on http://127.0.0.1:8000"), expected);
        assert_eq!(listening_address(r#"{"message":"listening on http://127.0.0.1:8000"}"#), expected);
        assert_eq!(listening_address("INFO listening on http://127.0.0.1:8000/ (40 threads)"), expected);
        assert_eq!(listening_address("nothing of the kind"), None);
    }
}
