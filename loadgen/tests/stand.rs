//! Programs that do not do what they should: each is a clear error, and none is left behind.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use loadgen::stand::{Program, StartError};

/// A folder of its own with an executable script in it.
fn script(test: &str, body: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("stand-{test}"));
    fs::create_dir_all(&dir).unwrap();
    let path = dir.join("program");
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

async fn start(dir: &Path, timeout: Duration) -> Result<Program, StartError> {
    Program::start(dir, "program", &[], timeout).await
}

fn is_alive(pid: u32) -> bool {
    let output = Command::new("ps").args(["-p", &pid.to_string(), "-o", "stat="]).output().unwrap();
    let state = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn one_that_is_not_there_is_named() {
    let error = Program::start(Path::new("/nonexistent"), "mock-llm", &[], SOON).await.unwrap_err();
    assert!(error.to_string().contains("/nonexistent/mock-llm"), "{error}");
}

#[tokio::test]
async fn one_that_ends_at_once_is_quoted() {
    let dir = script("ends", "echo 'cannot bind: address in use' >&2; exit 7");
    let error = start(&dir, SOON).await.unwrap_err().to_string();
    assert!(error.contains("address in use") && error.contains('7'), "{error}");
}

#[tokio::test]
async fn one_that_never_becomes_ready_is_given_up_and_killed() {
    let pid_file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stand-never.pid");
    let body = format!("echo $$ > {}; echo 'still thinking' >&2; exec sleep 600", pid_file.display());
    let dir = script("never", &body);
    let began = Instant::now();
    let error = start(&dir, Duration::from_secs(1)).await.unwrap_err();
    assert!(matches!(error, StartError::NotReady { .. }) && error.to_string().contains("still thinking"), "{error}");
    assert!(began.elapsed() < SOON);
    let pid = fs::read_to_string(pid_file).unwrap().trim().parse().unwrap();
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn one_that_floods_its_output_is_not_held_up_by_a_full_pipe() {
    // Far more than a pipe holds, in lines and without line ends, before it is ready.
    let flood = "i=0; while [ $i -lt 3000 ]; do echo 'a line that nobody reads, and then some more of it' >&2; i=$((i+1)); done; \
                 head -c 300000 /dev/zero | tr '\\0' 'x' >&2; echo >&2; \
                 echo 'listening on http://127.0.0.1:1' >&2; exec sleep 600";
    let program = start(&script("floods", flood), SOON).await.unwrap();
    assert_eq!(program.addr().port(), 1);
}

#[tokio::test]
async fn one_that_dies_later_is_noticed_with_its_last_words() {
    let body = "echo 'listening on http://127.0.0.1:1' >&2; sleep 0.3; echo 'out of luck' >&2; exit 3";
    let mut program = start(&script("dies", body), SOON).await.unwrap();
    assert_eq!(program.ended(), None);
    let deadline = Instant::now() + SOON;
    let last_words = loop {
        if let Some(words) = program.ended() {
            break words;
        }
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(last_words.contains("out of luck"), "{last_words}");
}

#[tokio::test]
async fn a_dropped_program_is_gone_also_after_a_panic() {
    let body = "echo 'listening on http://127.0.0.1:1' >&2; trap '' TERM INT; while :; do sleep 1; done";
    let dir = script("dropped", body);
    let program = start(&dir, SOON).await.unwrap();
    let pid = program.pid();
    assert!(is_alive(pid));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _program = program;
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert!(!is_alive(pid));
}
