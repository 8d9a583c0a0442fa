//! How a program is run.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, PipeReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use program::parent::EXIT_WITH_PARENT;

use crate::child::Process;
use crate::drain::{Reading, drain};
use crate::error::StartError;
use crate::log::Log;

/// Lines of stderr that are kept unless [`Launch::keep_lines`] says otherwise.
const LINES_KEPT: usize = 12;

/// One start at a time. Where a pipe cannot be made private in one step (macOS), a child that is started
/// meanwhile would inherit another's writing end, and keep it open when this process is gone.
static STARTING: Mutex<()> = Mutex::new(());

/// How a program is run. Its stdout is dropped and its stderr is read without end, unless said otherwise.
#[derive(Debug, Clone)]
pub struct Launch {
    path: PathBuf,
    name: String,
    args: Vec<String>,
    environment: Vec<(String, Option<OsString>)>,
    empty_environment: bool,
    current_dir: Option<PathBuf>,
    descriptors: Option<u32>,
    ends_with_parent: bool,
    stderr: Stderr,
    stdout_with_stderr: bool,
    keep_lines: usize,
    reading: Reading,
}

#[derive(Debug, Clone)]
enum Stderr {
    /// Read by a thread.
    Drained,
    /// Handed to the caller, with stdout.
    Caller,
    File(PathBuf),
}

impl Launch {
    /// The program at `path`, without arguments.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Launch {
            path,
            name,
            args: Vec::new(),
            environment: Vec::new(),
            empty_environment: false,
            current_dir: None,
            descriptors: None,
            ends_with_parent: true,
            stderr: Stderr::Drained,
            stdout_with_stderr: false,
            keep_lines: LINES_KEPT,
            reading: Reading::default(),
        }
    }

    /// The program's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Listens on a free port of the loopback interface: adds `--listen 127.0.0.1:0`.
    #[must_use]
    pub fn on_free_port(self) -> Self {
        self.args(["--listen", "127.0.0.1:0"])
    }

    /// Listens on `addr`: adds `--listen ADDR`.
    #[must_use]
    pub fn listening_on(self, addr: SocketAddr) -> Self {
        self.args(["--listen".to_owned(), addr.to_string()])
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), Some(value.into())));
        self
    }

    /// Removes an environment variable.
    #[must_use]
    pub fn env_remove(mut self, name: impl Into<String>) -> Self {
        self.environment.push((name.into(), None));
        self
    }

    /// Hands on nothing of this process's environment.
    #[must_use]
    pub fn empty_env(mut self) -> Self {
        self.empty_environment = true;
        self
    }

    /// Runs it in `dir`.
    #[must_use]
    pub fn current_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.current_dir = Some(dir.into());
        self
    }

    /// Limits its open descriptors, hard limit included, so that it cannot raise it.
    #[must_use]
    pub fn descriptors(mut self, count: u32) -> Self {
        self.descriptors = Some(count);
        self
    }

    /// Gives it an empty standard input in place of the pipe by whose end it knows that this process is gone.
    #[must_use]
    pub fn empty_stdin(mut self) -> Self {
        self.ends_with_parent = false;
        self
    }

    /// Keeps the last `count` lines of stderr, 12 unless set.
    #[must_use]
    pub fn keep_lines(mut self, count: usize) -> Self {
        self.keep_lines = count;
        self
    }

    /// Prints every line of its stderr to this process's, where a test runner shows it if the test fails.
    #[must_use]
    pub fn echo(mut self) -> Self {
        self.reading.echo = true;
        self
    }

    /// Reads nothing of stderr after the ready line. The pipe stays open until the process is dropped.
    #[must_use]
    pub fn unread_once_ready(mut self) -> Self {
        self.reading.until_ready = true;
        self
    }

    /// Sends stdout into the same pipe as stderr, as `2>&1 |` does.
    #[must_use]
    pub fn stdout_with_stderr(mut self) -> Self {
        self.stdout_with_stderr = true;
        self
    }

    /// Writes stderr to the file at `path`, where reading it costs nothing.
    #[must_use]
    pub fn stderr_to(mut self, path: impl Into<PathBuf>) -> Self {
        self.stderr = Stderr::File(path.into());
        self
    }

    /// Leaves stdout and stderr to the caller: see [`Process::take_stdout`].
    #[must_use]
    pub fn piped(mut self) -> Self {
        self.stderr = Stderr::Caller;
        self
    }

    /// Runs it, without waiting for anything.
    ///
    /// # Errors
    /// [`StartError::Spawn`].
    pub fn spawn(self) -> Result<Process, StartError> {
        let (child, log, pipe) = self.run().map_err(|source| self.spawn_error(source))?;
        let log = Arc::new(log);
        let unread = pipe.map(|pipe| drain(self.name.clone(), pipe, log.clone(), self.reading));
        let command_line = [std::slice::from_ref(&self.name), &self.args].concat().join(" ");
        Ok(Process::new(self.name, command_line, child, log, unread))
    }

    fn run(&self) -> io::Result<(Child, Log, Option<PipeReader>)> {
        let mut command = self.command();
        let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        let (log, pipe) = match &self.stderr {
            Stderr::Drained => {
                let (reader, writer) = io::pipe()?;
                let stdout = if self.stdout_with_stderr { writer.try_clone()?.into() } else { Stdio::null() };
                command.stdout(stdout).stderr(writer);
                (Log::pipe(self.keep_lines), Some(reader))
            }
            Stderr::Caller => {
                command.stdout(Stdio::piped()).stderr(Stdio::piped());
                (Log::None, None)
            }
            Stderr::File(path) => {
                command.stdout(Stdio::null()).stderr(File::create(path)?);
                (Log::File(path.clone()), None)
            }
        };
        Ok((command.spawn()?, log, pipe))
    }

    fn command(&self) -> Command {
        let mut command = match self.descriptors {
            None => Command::new(&self.path),
            Some(count) => {
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(format!("ulimit -n {count} && exec \"$0\" \"$@\"")).arg(&self.path);
                shell
            }
        };
        command.args(&self.args);
        if self.empty_environment {
            command.env_clear();
        }
        if self.ends_with_parent {
            // Its standard input stays open, with nothing to read, for as long as this process lives.
            command.env(EXIT_WITH_PARENT, "1").stdin(Stdio::piped());
            own_process_group(&mut command);
        } else {
            // In this process's group: a terminal's Ctrl-C is all that ends it when this process is killed.
            command.env_remove(EXIT_WITH_PARENT).stdin(Stdio::null());
        }
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(dir) = &self.current_dir {
            command.current_dir(dir);
        }
        command
    }

    fn spawn_error(&self, source: io::Error) -> StartError {
        StartError::Spawn { program: self.path.display().to_string(), source }
    }
}

/// Keeps a terminal's Ctrl-C from the children: this process stops them, in its order.
fn own_process_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}
