//! What is left when loadgen gets no time to stop what it started: nothing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod test_programs;

use std::time::Duration;

use process::{Launch, START_TIMEOUT, Signal};
use test_programs::TestPrograms;

/// Vendor and server of each of three arms.
const PROGRAMS: usize = 6;

#[test]
fn programs_end_with_a_loadgen_that_was_killed() {
    let programs = TestPrograms::new("killed");
    let lab = programs.spawn(&["lab", "blocked-executor", "--fast"]);
    programs.wait_until_running(PROGRAMS);
    lab.signal(Signal::Kill);
    assert_eq!(lab.exit_code(), None, "it ended by itself");
    programs.wait_until_gone();
}

/// Standard input belongs to a person or to a supervisor wherever loadgen is not the parent.
#[test]
fn a_program_that_somebody_else_started_lives_on_when_its_input_ends() {
    let programs = TestPrograms::new("by-hand");
    for name in ["mock-llm", "broken-server", "fixed-server"] {
        let launch = Launch::new(programs.path(name)).on_free_port().empty_stdin();
        let program = launch.start_blocking(START_TIMEOUT).unwrap();
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(program.ended(), None);
    }
}
