//! Labs whose servers do not come up under their supervisor, or behind their balancer: a clear error, and nothing left.

use std::time::Duration;

use crate::test_programs::{TestPrograms, said};

/// Longer than either takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

#[test]
fn a_program_under_supervision_that_dies_at_once_is_an_error_with_its_last_lines() {
    let programs = TestPrograms::beside_others("dies-at-once");
    programs.replace("broken-server", "echo 'cannot open the database' >&2\nexit 7");
    let output = programs.run(&["lab", "liveness-cascade", "--fast", "--side", "broken"]);
    assert_eq!(output.code(), Some(3));
    for part in ["broken-server under supervision", "5 times in a row", "exit status: 7", "cannot open the database"] {
        assert!(output.stderr.contains(part), "{}", output.stderr);
    }
    programs.wait_until_gone();
}

#[test]
fn replicas_that_never_become_ready_are_an_error_with_their_number() {
    let programs = TestPrograms::beside_others("never-ready");
    let launch = programs.loadgen(&["lab", "readiness-cascade", "--fast", "--side", "broken", "--start-timeout", "5s"]);
    // The balancer takes it for its flag.
    let output = launch.env("LOADGEN_READY_PATH", "/none").output_blocking(LIMIT).unwrap();
    assert_eq!(output.code(), Some(3), "{}", said(&output));
    assert!(output.stderr.contains("0 of 3 replicas were ready after 5s"), "{}", output.stderr);
    programs.wait_until_gone();
}
