//! Supervision of real processes: the same address in each life, and nothing left behind, whenever the supervisor is
//! dropped.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod scripts;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use process::{BackOffRules, Cause, Launch, Rules, Supervisor};
use scripts::{TIMEOUT, is_alive, script};

const SHORT: Duration = Duration::from_millis(20);
const RULES: Rules = Rules {
    initial_delay: Duration::ZERO,
    period: SHORT,
    timeout: TIMEOUT,
    failure_threshold: 2,
    grace: TIMEOUT,
    back_off: BackOffRules { first: SHORT, max: SHORT, reset_after: TIMEOUT },
    ends_max: 3,
};
/// The script's arguments are `--listen ADDR`: its $0 and $1. A free port is 4711.
const LISTEN: &str = "echo \"listening on http://127.0.0.1:$(echo ${1#*:} | sed 's/^0$/4711/')\" >&2";

/// Writes its process id to a file, then does the rest.
fn noted(test: &str, rest: &str) -> (Launch, PathBuf) {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("supervise-{test}.pids"));
    let _ = fs::remove_file(&file);
    (script(&format!("echo $$ >> {}; {rest}", file.display())), file)
}

fn pids(file: &PathBuf) -> Vec<u32> {
    fs::read_to_string(file).unwrap_or_default().lines().map(|line| line.parse().unwrap()).collect()
}

async fn wait_until(what: &str, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < TIMEOUT, "timed out waiting until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_program_that_fails_its_probes_is_replaced_on_the_same_address() {
    let (launch, file) = noted("replaced", &format!("echo \"asked for $1\" >&2; {LISTEN}; exec sleep 600"));
    let healthy = Arc::new(AtomicBool::new(true));
    let answer = healthy.clone();
    let probe = move |_| {
        let answer = if answer.load(Relaxed) { Ok(()) } else { Err("status 503".to_owned()) };
        async move { answer }
    };
    let supervisor = Supervisor::start(launch, RULES, TIMEOUT, probe).await.unwrap();
    assert_eq!(supervisor.addr().port(), 4711);
    healthy.store(false, Relaxed);
    wait_until("it is restarted", || !supervisor.restarts().is_empty()).await;
    healthy.store(true, Relaxed);
    wait_until("it runs again", || pids(&file).len() > 1 && supervisor.program().is_some()).await;

    let (restarts, second) = (supervisor.restarts(), supervisor.program().unwrap());
    assert_eq!(restarts[0].cause, Cause::Liveness);
    assert!(restarts[0].detail.contains("status 503; stopped: signal: 15"), "{}", restarts[0].detail);
    assert!(!is_alive(pids(&file)[0]) && is_alive(second.pid()));
    wait_until("it listens", || second.log().iter().any(|line| line.contains("asked for 127.0.0.1:4711"))).await;
    drop(second);
    drop(supervisor);
    assert!(pids(&file).into_iter().all(|pid| !is_alive(pid)), "dropped");
}

#[tokio::test]
async fn nothing_is_left_when_it_is_dropped_while_a_program_stops() {
    let (launch, file) = noted("stops", &format!("trap '' TERM; {LISTEN}; while :; do sleep 0.1; done"));
    let supervisor = Supervisor::start(launch, RULES, TIMEOUT, async |_| Err("never".to_owned())).await.unwrap();
    // Two probes, then SIGTERM, which it ignores.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(is_alive(pids(&file)[0]) && supervisor.restarts().is_empty());
    drop(supervisor);
    assert!(!is_alive(pids(&file)[0]));
}

#[tokio::test]
async fn nothing_is_left_when_it_is_dropped_while_a_program_starts() {
    let once = "if [ ${1#*:} = 0 ]; then exit 1; fi".replace("exit 1", &format!("{LISTEN}; exec sleep 600"));
    let (launch, file) = noted("starts", &format!("{once}; exec sleep 600"));
    let supervisor = Supervisor::start(launch, RULES, TIMEOUT, async |_| Err("never".to_owned())).await.unwrap();
    wait_until("the second starts", || pids(&file).len() == 2).await;
    drop(supervisor);
    assert!(pids(&file).into_iter().all(|pid| !is_alive(pid)));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(pids(&file).len(), 2, "and none is started");
}

#[tokio::test]
async fn nothing_is_left_when_the_first_start_is_abandoned() {
    let (launch, file) = noted("abandoned", "exec sleep 600");
    let starting = Supervisor::start(launch, RULES, TIMEOUT, async |_| Ok(()));
    assert!(tokio::time::timeout(Duration::from_millis(300), starting).await.is_err());
    assert!(!is_alive(pids(&file)[0]));
}

#[tokio::test]
async fn a_program_that_dies_at_once_is_an_error_with_its_status_and_last_lines() {
    let (launch, file) = noted("dies", "echo 'cannot open the database' >&2; exit 7");
    let error = Supervisor::start(launch, RULES, TIMEOUT, async |_| Ok(())).await.err().unwrap().to_string();
    for part in ["3 times in a row", "exit status: 7", "cannot open the database"] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(pids(&file).len(), 3);
}

#[tokio::test]
async fn a_missing_program_is_not_tried_again() {
    let launch = Launch::new("/nonexistent/server");
    let error = Supervisor::start(launch, RULES, TIMEOUT, async |_| Ok(())).await.err().unwrap().to_string();
    assert!(error.contains("/nonexistent/server"), "{error}");
}
