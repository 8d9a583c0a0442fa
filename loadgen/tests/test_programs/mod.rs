//! A folder of links to the programs, by whose path the processes of one test are recognised.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use process::{Launch, Output, Process, Signal};

/// Longer than all labs take on a busy machine; reached only by a test that fails.
const RUN_TIMEOUT: Duration = Duration::from_secs(900);

/// A test that judges figures runs alone: each runs up to ten processes. Others may run beside each other.
static ALONE: RwLock<()> = RwLock::new(());

pub(crate) struct TestPrograms(PathBuf, #[expect(dead_code, reason = "held, not read")] Lock);

enum Lock {
    Alone(#[expect(dead_code, reason = "held, not read")] RwLockWriteGuard<'static, ()>),
    Shared(#[expect(dead_code, reason = "held, not read")] RwLockReadGuard<'static, ()>),
}

impl TestPrograms {
    /// For a test that judges figures: no other test runs at the same time.
    pub(crate) fn new(test: &str) -> Self {
        Self::locked(test, Lock::Alone(ALONE.write().unwrap_or_else(PoisonError::into_inner)))
    }

    /// For a test that judges no times.
    pub(crate) fn beside_others(test: &str) -> Self {
        Self::locked(test, Lock::Shared(ALONE.read().unwrap_or_else(PoisonError::into_inner)))
    }

    fn locked(test: &str, lock: Lock) -> Self {
        let built = Path::new(env!("CARGO_BIN_EXE_loadgen")).parent().unwrap();
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("test-programs-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        for name in ["mock-llm", "broken-server", "fixed-server", "loadgen"] {
            let program = built.join(name);
            assert!(program.exists(), "{} is not built: run `make test`", program.display());
            symlink(program, dir.join(name)).unwrap();
        }
        TestPrograms(dir, lock)
    }

    /// Puts a script of the shell in the place of a program.
    pub(crate) fn replace(&self, program: &str, script: &str) {
        let path = self.0.join(program);
        fs::remove_file(&path).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn path(&self, file: &str) -> String {
        self.0.join(file).to_str().unwrap().to_owned()
    }

    /// loadgen, with the programs of this folder.
    pub(crate) fn loadgen(&self, args: &[&str]) -> Launch {
        let loadgen = Launch::new(env!("CARGO_BIN_EXE_loadgen")).args(args.iter().copied());
        loadgen.args(["--program-dir".to_owned(), self.0.display().to_string()]).empty_stdin()
    }

    /// Runs loadgen several times at once, each to its end.
    pub(crate) fn run_at_once(&self, runs: &[&[&str]]) -> Vec<Output> {
        std::thread::scope(|scope| {
            let started: Vec<_> = runs.iter().map(|args| scope.spawn(|| self.run(args))).collect();
            started.into_iter().map(|run| run.join().unwrap()).collect()
        })
    }

    /// Runs loadgen to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.loadgen(args).output_blocking(RUN_TIMEOUT).unwrap()
    }

    /// What `loadgen report` prints of this file.
    pub(crate) fn report(&self, file: &str) -> Output {
        let loadgen = Launch::new(env!("CARGO_BIN_EXE_loadgen")).args(["report", file]).empty_stdin();
        loadgen.output_blocking(RUN_TIMEOUT).unwrap()
    }

    pub(crate) fn spawn(&self, args: &[&str]) -> Running {
        let process = self.loadgen(args).piped().spawn().unwrap();
        let output = process.take_stdout().map(BufReader::new);
        Running { process, output }
    }

    /// Command lines of the programs that run from here.
    pub(crate) fn running(&self) -> Vec<String> {
        let output = Command::new("ps").args(["-axww", "-o", "stat=,command="]).output().unwrap();
        let here = self.0.to_str().unwrap();
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        // loadgen has the folder as an argument; only the programs have a path in it.
        let servers = lines.lines().filter(|line| line.contains(&format!("{here}/")));
        servers.filter(|line| !line.starts_with('Z')).map(str::to_owned).collect()
    }

    /// Process ids of the programs of this name that run from here.
    pub(crate) fn pids(&self, program: &str) -> Vec<String> {
        let output = Command::new("ps").args(["-axww", "-o", "pid=,command="]).output().unwrap();
        let path = self.path(program);
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        let pids = lines.lines().map(str::trim_start).filter_map(|line| line.split_once(' '));
        pids.filter(|(_, command)| command.trim_start().starts_with(&path)).map(|(pid, _)| pid.to_owned()).collect()
    }

    pub(crate) fn wait_until_running(&self, programs: usize) {
        self.wait_until("the programs run", || self.running().len() == programs);
    }

    pub(crate) fn wait_until_gone(&self) {
        self.wait_until("they are gone", || self.running().is_empty());
    }

    pub(crate) fn wait_until(&self, what: &str, done: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !done() {
            assert!(Instant::now() < deadline, "timed out waiting until {what}: {:?}", self.running());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for TestPrograms {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// All that a command printed.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", output.stdout, output.stderr)
}

/// A command under way. Killed when a test fails.
pub(crate) struct Running {
    process: Process,
    output: Option<BufReader<ChildStdout>>,
}

impl Running {
    /// Closes its output and its errors.
    pub(crate) fn close_output(&mut self) {
        drop(self.output.take());
        drop(self.process.take_stderr());
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.process.status().is_some()
    }

    /// Reads until a line is as wanted.
    pub(crate) fn wait_for_line(&mut self, limit: Duration, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + limit;
        let output = self.output.as_mut().unwrap();
        let mut lines = String::new();
        while Instant::now() < deadline {
            let mut line = String::new();
            assert!(output.read_line(&mut line).unwrap() > 0, "it ended with:\n{lines}");
            if wanted(&line) {
                return line;
            }
            lines += &line;
        }
        panic!("timed out waiting for a line:\n{lines}");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal).unwrap();
    }

    pub(crate) fn exit_code(&self) -> Option<i32> {
        self.process.wait_blocking(RUN_TIMEOUT).unwrap().code()
    }
}
