//! What is left when loadgen gets no time to stop what it started: nothing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod stage;

use std::process::{Command, Stdio};
use std::time::Duration;

use stage::Stage;

/// Vendor and server of each of three arms.
const PROGRAMS: usize = 6;

#[test]
fn programs_end_with_a_loadgen_that_was_killed() {
    let stage = Stage::new("killed");
    let mut lab = stage.spawn(&["lab", "blocked-executor", "--fast"]);
    stage.wait_until_running(PROGRAMS);
    lab.signal("-KILL");
    assert_eq!(lab.exit_code(), None, "it ended by itself");
    stage.wait_until_gone();
}

/// Standard input belongs to a person or to a supervisor wherever loadgen is not the parent.
#[test]
fn a_program_that_somebody_else_started_lives_on_when_its_input_ends() {
    let stage = Stage::new("by-hand");
    for name in ["mock-llm", "broken-server", "fixed-server"] {
        let mut command = Command::new(stage.path(name));
        command.args(["--listen", "127.0.0.1:0"]).env_remove("EXIT_WITH_PARENT").stdin(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(500));
        let ended = child.try_wait();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(ended.unwrap().is_none(), "{name} ended");
    }
}
