//! A program as a child process: started, watched, told to stop, never left behind.

use std::future::pending;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::wait::BOUND;

/// What a program prints in front of its address when it accepts connections.
const LISTENING: &str = "listening on http://";

/// How a program is to be run. Its environment is empty but for what is set here.
#[derive(Debug)]
pub struct Launch {
    name: &'static str,
    args: Vec<String>,
    environment: Vec<(String, String)>,
    reads_log: bool,
}

impl Launch {
    /// The program `name`, without arguments.
    #[must_use]
    pub fn of(name: &'static str) -> Self {
        Launch { name, args: Vec::new(), environment: Vec::new(), reads_log: true }
    }

    /// The same with these arguments added.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// The same with one more environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The same with nobody to read what it prints after the line that says where it listens. The pipe stays
    /// open until the test ends, so the program is stopped by a drop, not with [`Program::wait`].
    #[must_use]
    pub fn log_unread(mut self) -> Self {
        self.reads_log = false;
        self
    }

    /// Starts the program and waits until it says that it listens.
    ///
    /// # Errors
    /// When it cannot be started, ends, or does not listen within [`BOUND`]; with what it printed.
    pub async fn start(self) -> anyhow::Result<Program> {
        let mut child = self.command()?.stdout(Stdio::null()).spawn().context(self.name)?;
        let stderr = child.stderr.take().context("stderr is piped")?;
        let log = Arc::new(Mutex::new(Vec::new()));
        let (address, mut listening) = watch::channel(None);
        let draining = tokio::spawn(drain(self.name, stderr, Arc::clone(&log), address, self.reads_log));
        let program = |address| Program { name: self.name, child, address, log: Arc::clone(&log), draining };
        match timeout(BOUND, listening.wait_for(Option::is_some)).await {
            Ok(Ok(address)) => Ok(program((*address).context("just seen")?)),
            Ok(Err(_)) => bail!("{} ended before it listened: {:?}", self.name, lines_of(&log)),
            Err(_) => bail!("{} does not listen after {BOUND:?}: {:?}", self.name, lines_of(&log)),
        }
    }

    /// Runs the program until it ends by itself.
    ///
    /// # Errors
    /// When it cannot be started or does not end within [`BOUND`].
    pub async fn finish(self) -> anyhow::Result<Finished> {
        let mut child = self.command()?.stdout(Stdio::piped()).spawn().context(self.name)?;
        let mut stdout = child.stdout.take().context("stdout is piped")?;
        let mut stderr = child.stderr.take().context("stderr is piped")?;
        let (mut out, mut err) = (String::new(), String::new());
        let ended =
            async { tokio::join!(stdout.read_to_string(&mut out), stderr.read_to_string(&mut err), child.wait()) };
        match timeout(BOUND, ended).await {
            Ok((_, _, status)) => Ok(Finished { code: status?.code(), stdout: out, stderr: err }),
            Err(_) => bail!("{} {:?} runs on after {BOUND:?}", self.name, self.args),
        }
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut command = Command::new(beside_this_test(self.name)?);
        command.args(&self.args).env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        // Killed with the value, so that a test that panics leaves no process behind.
        command.kill_on_drop(true);
        Ok(command)
    }
}

/// A program that listens. Dropped means killed.
#[derive(Debug)]
pub struct Program {
    name: &'static str,
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    draining: JoinHandle<()>,
}

impl Program {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id, until it has ended.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// The lines that it has printed to stderr so far.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        lines_of(&self.log)
    }

    /// Sends a signal, `TERM`, `INT` or `HUP`, without waiting for what comes of it.
    ///
    /// # Errors
    /// When the program is gone, or there is no shell to send it with.
    pub async fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let pid = self.child.id().with_context(|| format!("{} has ended already", self.name))?;
        // The shell's own `kill`: on every Unix, without unsafe code.
        let sent = Command::new("sh").arg("-c").arg(format!("kill -{signal} {pid}")).status().await?;
        if !sent.success() {
            bail!("cannot send {signal} to {} ({pid})", self.name);
        }
        Ok(())
    }

    /// Waits until it ends and gives its exit code, or none when a signal killed it. From then on its
    /// log is whole.
    ///
    /// # Errors
    /// When it does not end within [`BOUND`].
    pub async fn wait(&mut self) -> anyhow::Result<Option<i32>> {
        let ended = async {
            // Its last lines may still be in the pipe when it has ended.
            let status = self.child.wait().await?;
            (&mut self.draining).await?;
            anyhow::Ok(status)
        };
        let status = timeout(BOUND, ended).await;
        let status =
            status.with_context(|| format!("{} runs on after {BOUND:?}: {:?}", self.name, lines_of(&self.log)))??;
        Ok(status.code())
    }

    /// Sends SIGTERM and gives the exit code.
    ///
    /// # Errors
    /// As [`Program::signal`] and [`Program::wait`].
    pub async fn terminate(&mut self) -> anyhow::Result<Option<i32>> {
        self.signal("TERM").await?;
        self.wait().await
    }
}

/// A program that has ended by itself.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code, or none when a signal killed it.
    pub code: Option<i32>,
    /// What it printed to stdout.
    pub stdout: String,
    /// What it printed to stderr.
    pub stderr: String,
}

/// `target/PROFILE/NAME`, from this test's own `target/PROFILE/deps/TEST-HASH`.
fn beside_this_test(name: &str) -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let profile = test.parent().and_then(|deps| deps.parent()).context("the test is not in target/PROFILE/deps")?;
    let path = profile.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    if !path.exists() {
        bail!("{} is not built: run `make test`, or `cargo build --workspace --bins` first", path.display());
    }
    Ok(path)
}

/// Reads stderr to its end, or where `to_end` is false as far as the address, and sets `address` once.
async fn drain(
    name: &str,
    stderr: ChildStderr,
    log: Arc<Mutex<Vec<String>>>,
    address: watch::Sender<Option<SocketAddr>>,
    to_end: bool,
) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if address.borrow().is_none() {
            address.send_replace(address_in(&line));
        }
        // The test runner shows it when the test fails.
        eprintln!("{name}: {line}");
        log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        if !to_end && address.borrow().is_some() {
            // The pipe is open as long as this waits.
            pending::<()>().await;
        }
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, after) = line.split_once(LISTENING)?;
    after.split_whitespace().next()?.parse().ok()
}

fn lines_of(log: &Mutex<Vec<String>>) -> Vec<String> {
    log.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
