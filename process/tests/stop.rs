//! Signals, exit statuses, and what is left of a program whose value is dropped: nothing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod scripts;

use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use process::{Signal, StartError};
use scripts::{TIMEOUT, is_alive, script};

const LISTEN: &str = "echo 'listening on http://127.0.0.1:1' >&2";
const IGNORE_SIGTERM: &str = "trap '' TERM INT; echo 'listening on http://127.0.0.1:1' >&2; while :; do sleep 1; done";
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

#[tokio::test]
async fn a_later_end_is_noticed_with_status_and_last_lines() {
    let body = format!("{LISTEN}; sleep 0.3; echo 'out of luck' >&2; exit 3");
    let program = script(&body).start(TIMEOUT).await.unwrap();
    assert_eq!(program.ended(), None);
    assert_eq!(program.wait(TIMEOUT).await.unwrap().code(), Some(3));
    let ended = program.ended().unwrap();
    assert!(ended.contains("out of luck") && ended.contains('3'), "{ended}");
    assert!(program.signal(Signal::Term).is_err(), "a process that has ended gets no signal");
}

#[tokio::test]
async fn each_signal_reaches_the_program() {
    for (signal, name) in [(Signal::Term, "TERM"), (Signal::Int, "INT"), (Signal::Hup, "HUP"), (Signal::Quit, "QUIT")] {
        let body = format!("trap 'echo got {name} >&2; exit 5' {name}; {LISTEN}; while :; do sleep 0.05; done");
        let program = script(&body).start(TIMEOUT).await.unwrap();
        program.signal(signal).unwrap();
        assert_eq!(program.wait(TIMEOUT).await.unwrap().code(), Some(5), "{name}");
        assert!(program.last_lines().contains(&format!("got {name}")), "{}", program.last_lines());
    }
}

#[tokio::test]
async fn a_paused_program_does_nothing_until_it_continues() {
    let body = format!("{LISTEN}; while :; do echo tick >&2; sleep 0.02; done");
    let program = script(&body).keep_lines(100_000).start(TIMEOUT).await.unwrap();
    program.signal(Signal::Stop).unwrap();
    // A line may be under way.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let paused = program.log().len();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(program.log().len(), paused);
    program.signal(Signal::Cont).unwrap();
    let began = Instant::now();
    while program.log().len() == paused {
        assert!(began.elapsed() < TIMEOUT, "it does not continue");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn stop_kills_only_a_program_that_ignores_sigterm() {
    let polite = script(&format!("{LISTEN}; exec sleep 600")).start(TIMEOUT).await.unwrap();
    assert_eq!(polite.stop(TIMEOUT).await.unwrap().signal(), Some(SIGTERM));
    let stubborn = script(IGNORE_SIGTERM).start(TIMEOUT).await.unwrap();
    assert_eq!(stubborn.stop(Duration::from_millis(300)).await.unwrap().signal(), Some(SIGKILL));
}

#[test]
fn waiting_for_a_program_that_runs_on_is_an_error() {
    let program = script(&format!("{LISTEN}; exec sleep 600")).start_blocking(TIMEOUT).unwrap();
    let error = program.wait_blocking(Duration::from_millis(50)).unwrap_err().to_string();
    assert!(error.contains("still runs after 50ms") && error.contains("listening on"), "{error}");
}

#[tokio::test]
async fn a_dropped_program_is_gone_also_after_a_panic() {
    let program = script(IGNORE_SIGTERM).start(TIMEOUT).await.unwrap();
    let pid = program.pid();
    assert!(is_alive(pid) && program.usage().is_some());
    let panicked = catch_unwind(AssertUnwindSafe(move || {
        let _program = program;
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn the_output_of_a_run_to_the_end_is_complete() {
    let body = "head -c 300000 /dev/zero | tr '\\0' 'x'; head -c 200000 /dev/zero | tr '\\0' 'y' >&2; exit 4";
    let output = script(body).output(TIMEOUT).await.unwrap();
    assert_eq!((output.code(), output.stdout.len(), output.stderr.len()), (Some(4), 300_000, 200_000));
    let blocking = script("cat; echo done").output_blocking(TIMEOUT).unwrap();
    assert_eq!((blocking.code(), blocking.stdout.as_str()), (Some(0), "done\n"), "its input is empty");
}

#[tokio::test]
async fn a_run_that_does_not_end_is_killed() {
    let error = script("exec sleep 600").output(Duration::from_millis(100)).await.unwrap_err();
    assert!(matches!(error, StartError::Wait(_)), "{error}");
}

#[tokio::test]
async fn stdout_can_share_the_pipe_of_stderr() {
    let body = format!("echo 'to stdout'; {LISTEN}; exec sleep 600");
    let program = script(&body).stdout_with_stderr().start(TIMEOUT).await.unwrap();
    assert_eq!(program.log()[0], "to stdout");
}

/// Nothing of stderr is read after the ready line: a program that writes more stands still, and goes on
/// neither with an error nor with an end.
#[tokio::test]
async fn an_unread_pipe_stays_open_and_full() {
    let body = format!("{LISTEN}; head -c 1000000 /dev/zero | tr '\\0' 'x' >&2; exit 0");
    let program = script(&body).unread_once_ready().start(TIMEOUT).await.unwrap();
    assert!(program.wait(Duration::from_millis(500)).await.is_err());
    assert_eq!(program.log().len(), 1);
}
