//! The demo as a user runs it, through the real programs: what it claims, what it writes, and that
//! it leaves nothing behind, however it ends.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

/// One test at a time: each runs up to seven processes, and the figures of one are judged.
static STAGE_IS_FREE: Mutex<()> = Mutex::new(());

/// A folder of links to the programs, by whose path the processes of one test are recognised.
struct Stage(PathBuf, #[expect(dead_code, reason = "held, not read")] MutexGuard<'static, ()>);

impl Stage {
    fn new(test: &str) -> Self {
        let free = STAGE_IS_FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let programs = Path::new(env!("CARGO_BIN_EXE_loadgen")).parent().unwrap();
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("demo-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        for name in ["mock-llm", "broken-server", "fixed-server"] {
            let program = programs.join(name);
            assert!(program.exists(), "{} is not built: run `make test`", program.display());
            symlink(program, dir.join(name)).unwrap();
        }
        Stage(dir, free)
    }

    fn demo(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
        command.arg("demo").args(args).arg("--program-dir").arg(&self.0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Command lines of the programs that run from here.
    fn running(&self) -> Vec<String> {
        let output = Command::new("ps").args(["-axww", "-o", "stat=,command="]).output().unwrap();
        let here = self.0.to_str().unwrap();
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        let servers = lines.lines().filter(|line| line.contains(here) && !line.contains("loadgen"));
        servers.filter(|line| !line.starts_with('Z')).map(str::to_owned).collect()
    }

    fn wait_until_running(&self, programs: usize) {
        self.wait_until("the programs run", || self.running().len() == programs);
    }

    fn wait_until_gone(&self) {
        self.wait_until("they are gone", || self.running().is_empty());
    }

    fn wait_until(&self, what: &str, done: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !done() {
            assert!(Instant::now() < deadline, "waited in vain until {what}: {:?}", self.running());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Kills what a failed test leaves running.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Killed {
    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    fn exit_code(&mut self) -> Option<i32> {
        self.0.wait().unwrap().code()
    }
}

/// Runs the demo until it says held or not held. On a machine that is busy with other tests a run may
/// call itself invalid, which is right of it, but not every time.
fn valid_run(stage: &Stage, out: &str) -> Output {
    let mut output = stage.demo(&["both", "--fast", "--out", out]).output().unwrap();
    for _ in 0..3 {
        if output.status.code() != Some(3) {
            break;
        }
        output = stage.demo(&["both", "--fast", "--out", out]).output().unwrap();
    }
    output
}

#[test]
fn the_demo_shows_the_collapse_and_its_absence() {
    let stage = Stage::new("both");
    let out = stage.0.join("result.json");
    let output = valid_run(&stage, out.to_str().unwrap());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(stage.running().is_empty(), "left behind: {:?}", stage.running());

    // But for the path of the result, which is as long as it is.
    let mut lines = said.lines().filter(|line| !line.contains("result.json"));
    assert!(lines.all(|line| line.chars().count() <= 80), "wider than a terminal:\n{said}");
    assert!(!said.contains('\u{1b}'), "colour without a terminal");
    assert!(said.contains("Verdict: HELD"), "{said}");
    for file in ["broken-server/src/mistakes/threads/pool_exhaustion.rs", "fixed-server/src/"] {
        assert!(said.contains(file), "{file} is not named:\n{said}");
    }

    let result: Value = serde_json::from_slice(&fs::read(out).unwrap()).unwrap();
    let at = |path: &str| result.pointer(path).unwrap_or_else(|| panic!("{path} is missing in {result:#}"));
    assert_eq!(at("/verdict/result"), "held");
    assert_eq!(at("/arms/fixed/streams/completed"), 24);
    assert_eq!(at("/arms/control/streams/completed"), 24);
    assert!(at("/arms/broken/probes/health_sync/timed_out").as_u64() > Some(0));
    assert_eq!(at("/arms/fixed/probes/health_sync/timed_out"), 0);
    for arm in ["broken", "control", "fixed"] {
        let probes = |what: &str| at(&format!("/arms/{arm}/probes/health_sync/{what}")).as_u64().unwrap();
        assert_eq!(probes("sent"), probes("ok") + probes("failed") + probes("timed_out"));
        let streams = |what: &str| at(&format!("/arms/{arm}/streams/{what}")).as_u64().unwrap();
        let ended = ["completed", "failed", "truncated", "left"].map(streams).iter().sum::<u64>();
        assert_eq!((streams("requested"), ended), (24, 24), "{arm}");
        assert!(at(&format!("/arms/{arm}/baseline/health_sync/sent")).as_u64() > Some(0));
    }
}

#[test]
fn an_interrupted_demo_stops_what_it_started() {
    let stage = Stage::new("signals");
    // SIGHUP is what a terminal sends when its window is closed.
    for signal in ["-INT", "-TERM", "-HUP"] {
        let mut demo = Killed(stage.demo(&["broken"]).spawn().unwrap());
        stage.wait_until_running(2);
        demo.signal(signal);
        assert_eq!(demo.exit_code(), Some(3), "{signal}");
        assert!(stage.running().is_empty(), "{signal} left behind: {:?}", stage.running());
    }
}

#[test]
fn a_closed_output_keeps_nothing_running() {
    let stage = Stage::new("closed");
    let mut demo = Killed(stage.demo(&["fixed"]).spawn().unwrap());
    drop(demo.0.stdout.take());
    drop(demo.0.stderr.take());
    stage.wait_until_running(2);
    // It writes a line a second into the closed pipe, and must neither die of it nor hang.
    std::thread::sleep(Duration::from_secs(2));
    assert!(demo.0.try_wait().unwrap().is_none(), "died of a closed output");
    demo.signal("-INT");
    demo.exit_code();
    stage.wait_until_gone();
}

#[test]
fn a_program_that_dies_mid_run_ends_the_run_as_invalid() {
    let stage = Stage::new("dies");
    let demo = Killed(stage.demo(&["fixed"]).spawn().unwrap());
    stage.wait_until_running(2);
    let pattern = stage.0.join("mock-llm");
    let killed = Command::new("pkill").args(["-KILL", "-f", pattern.to_str().unwrap()]).status().unwrap();
    assert!(killed.success());
    let mut demo = demo;
    assert_eq!(demo.exit_code(), Some(3));
    assert!(stage.running().is_empty(), "left behind: {:?}", stage.running());
}
