//! Starting programs that do not do what they should: each is a clear error, and none is left behind.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod scripts;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use process::{Launch, StartError};
use scripts::{TIMEOUT, is_alive, script};

#[tokio::test]
async fn a_missing_program_is_named_in_the_error() {
    let error = Launch::new("/nonexistent/mock-llm").start(TIMEOUT).await.unwrap_err();
    assert!(matches!(error, StartError::Spawn { .. }));
    assert!(error.to_string().contains("/nonexistent/mock-llm"), "{error}");
}

#[tokio::test]
async fn the_error_of_an_early_end_has_status_and_last_lines() {
    let launch = script("echo 'cannot bind: address in use' >&2; exit 7");
    let began = Instant::now();
    let error = launch.start(Duration::from_secs(60)).await.unwrap_err();
    assert!(matches!(error, StartError::Ended { .. }));
    assert!(error.to_string().contains("address in use") && error.to_string().contains('7'), "{error}");
    assert!(began.elapsed() < TIMEOUT, "it waited for a ready line of a program that had ended");
}

#[tokio::test]
async fn a_program_without_ready_line_is_killed_at_the_timeout() {
    let pid_file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("never.pid");
    let body = format!("echo $$ > {}; echo 'still thinking' >&2; exec sleep 600", pid_file.display());
    let error = script(&body).start(Duration::from_secs(1)).await.unwrap_err();
    assert!(matches!(error, StartError::NotReady { .. }) && error.to_string().contains("still thinking"), "{error}");
    let pid = fs::read_to_string(pid_file).unwrap().trim().parse().unwrap();
    assert!(!is_alive(pid));
}

#[test]
fn blocking_callers_get_the_same_program_and_the_same_errors() {
    let ready = script("echo 'listening on http://127.0.0.1:1' >&2; exec sleep 600");
    assert_eq!(ready.start_blocking(TIMEOUT).unwrap().url(), "http://127.0.0.1:1");
    let error = script("echo 'no such flag' >&2; exit 2").start_blocking(TIMEOUT).unwrap_err();
    assert!(matches!(error, StartError::Ended { .. }) && error.to_string().contains("no such flag"), "{error}");
}

#[tokio::test]
async fn output_larger_than_a_pipe_stops_no_program() {
    // In lines and without line ends, before it is ready.
    let flood = "i=0; while [ $i -lt 3000 ]; do echo 'a line that nobody reads, and then some more of it' >&2; i=$((i+1)); done; \
                 head -c 300000 /dev/zero | tr '\\0' 'x' >&2; echo >&2; \
                 echo 'listening on http://127.0.0.1:1' >&2; exec sleep 600";
    let program = script(flood).start(TIMEOUT).await.unwrap();
    assert_eq!(program.addr().port(), 1);
    assert_eq!(program.log().len(), 12, "only the last lines are kept");
}

#[tokio::test]
async fn a_log_in_a_file_is_searched_for_the_ready_line() {
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("to-a-file.log");
    let body = "echo 'INFO a line' >&2; echo 'listening on http://127.0.0.1:1' >&2; exec sleep 600";
    let program = script(body).stderr_to(&log).start(TIMEOUT).await.unwrap();
    assert_eq!(program.addr().port(), 1);
    assert_eq!(program.log()[0], "INFO a line");
}

#[tokio::test]
async fn environment_directory_and_descriptors_are_as_asked() {
    let body = "echo \"set=$GIVEN removed=${CARGO_MANIFEST_DIR-none} in $(pwd) with $(ulimit -n)\" >&2; exit 1";
    let launch = script(body).env("GIVEN", "value").env_remove("CARGO_MANIFEST_DIR");
    let error = launch.current_dir("/").descriptors(99).start(TIMEOUT).await.unwrap_err();
    assert!(error.to_string().contains("set=value removed=none in / with 99"), "{error}");
    let error = script("echo \"home=${HOME-none}\" >&2; exit 1").empty_env();
    let error = error.start(TIMEOUT).await.unwrap_err();
    assert!(error.to_string().contains("home=none"), "{error}");
}
