//! Commands with a dashboard: each way to end gives the terminal back, and says on the ordinary screen what it says
//! without.

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use crate::pty::{Ended, OnTerminal};
use crate::scripted::{Answering, Request, serve};
use crate::servers::{FAILS, LOADGEN, OBJECTIVE, healthy, run, server, watch};
use crate::test_programs::TestPrograms;
use crate::{GIVES_BACK, TAKES, USUAL, assert_given_back, ordinary_screen, without_styles};

/// A machine that is busy with other tests may make any run invalid.
fn was_busy(ended: &Ended) -> bool {
    ended.written.contains("generator itself lagged")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_verdict_stays_on_the_ordinary_screen() {
    let failing = |mut request: Request| -> Answering {
        Box::pin(async move {
            request.send(FAILS).await;
        })
    };
    for (server, objective, code, verdict) in [
        (server().await, OBJECTIVE, 0, "Verdict: HELD"),
        (server().await, "completed>=1000000", 1, "Verdict: NOT HELD"),
        (serve(failing, healthy).await.0, "health.failed==0", 3, "Verdict: INVALID"),
    ] {
        let ended = run(server, &["--duration", "1s", "--slo", objective], USUAL, &[]).end();
        assert_given_back(&ended);
        let (before, after) = ordinary_screen(&ended);
        assert!(ended.code == Some(code) || was_busy(&ended), "{objective}: {:?}\n{before}{after}", ended.code);
        assert!(after.contains(verdict) || was_busy(&ended), "{verdict}:\n{after}");
        assert!(after.contains("time to answer") || code == 3, "the table is missing:\n{after}");
        assert!(!after.contains(" 1 s "), "the lines of a run are not for afterwards:\n{after}");
    }
}

/// Keys and signals end a command alike.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_stops_a_command_gives_the_terminal_back() {
    let server = server().await;
    let stops: [(&str, Option<Signal>); 5] = [
        ("\u{3}", None),
        ("q", None),
        ("\u{1b}", None),
        ("SIGTERM", Some(Signal::TERM)),
        ("SIGHUP", Some(Signal::HUP)),
    ];
    for (name, signal) in stops {
        let mut running = run(server, &["--duration", "60s"], USUAL, &[]);
        running.wait_for("health", running.wait_for(TAKES, 0));
        match signal {
            Some(signal) => running.signal(signal),
            None => running.press(name),
        }
        let ended = running.end();
        assert_given_back(&ended);
        let (_, after) = ordinary_screen(&ended);
        let by = if signal.is_some() { name } else { "SIGINT" };
        assert!(after.contains(&format!("loadgen: stopped by {by}; ")), "{name:?}: {after}");
        assert_eq!(ended.code, Some(3), "{name:?}: {after}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pressed_after_the_first_ctrl_c_changes_nothing() {
    let mut running = run(server().await, &["--duration", "60s"], USUAL, &[]);
    running.wait_for(TAKES, 0);
    running.press("\u{3}\u{3}q\u{3}");
    let ended = running.end();
    assert_given_back(&ended);
    assert_eq!(ended.code, Some(3));
    assert_eq!(ended.written.matches("stopped by SIGINT").count(), 1, "{:?}", ended.written);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resize_draws_the_screen_anew() {
    let running = run(server().await, &["--duration", "3s", "--slo", OBJECTIVE], USUAL, &[]);
    let mut seen = running.wait_for("health", running.wait_for(TAKES, 0));
    for size in [(200, 60), (20, 5), (40, 10), (100, 30)] {
        running.resize(size);
        // A new screen begins with nothing on it.
        seen = running.wait_for("\u{1b}[2J", seen);
    }
    let ended = running.end();
    assert_given_back(&ended);
    assert!(ordinary_screen(&ended).1.contains("Verdict: "), "{:?}", ended.written);
}

#[tokio::test(flavor = "multi_thread")]
async fn watch_leaves_its_last_line_on_the_ordinary_screen() {
    let server = server().await;
    let ended = watch(server, &["--duration", "1500ms"]).end();
    assert_given_back(&ended);
    assert_eq!(ended.code, Some(0));
    let (_, after) = ordinary_screen(&ended);
    let lines: Vec<_> = after.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert!(
        matches!(lines[..], [_, heading, last] if heading.starts_with("time") && last.starts_with("1 s")),
        "{after}"
    );

    let mut running = watch(server, &[]);
    // Long enough for a second to have passed.
    running.wait_for(TAKES, 0);
    std::thread::sleep(Duration::from_millis(1200));
    running.press("q");
    let ended = running.end();
    assert_given_back(&ended);
    let (_, after) = ordinary_screen(&ended);
    let last = after.find("1 s ").unwrap_or_else(|| panic!("no last line: {after}"));
    assert!(after.find("stopped by SIGINT") > Some(last), "{after}");
}

#[test]
fn what_started_programs_print_is_not_on_the_screen() {
    let programs = TestPrograms::beside_others("noise");
    let real = Path::new(LOADGEN).with_file_name("mock-llm");
    let noise = "for i in 1 2 3 4 5 6 7 8 9 10; do echo NOISE >&2; sleep 0.2; done &";
    programs.replace("mock-llm", &format!("{noise}\nexec {} \"$@\"", real.display()));
    let dir = programs.path("");
    let mut running =
        OnTerminal::start(LOADGEN, &["lab", "blocked-executor", "--fast", "--program-dir", &dir], USUAL, &[]);
    running.wait_for("async", running.wait_for(TAKES, 0));
    std::thread::sleep(Duration::from_millis(500));
    running.press("q");
    let ended = running.end();
    assert_given_back(&ended);
    assert!(!ended.written.contains("NOISE"), "{:?}", ended.written);
    let (before, after) = ordinary_screen(&ended);
    assert!(before.starts_with("blocked-executor, about "), "the introduction is missing: {before}");
    assert!(after.contains("all started programs are stopped"), "{after}");
    programs.wait_until_gone();
}

/// The shell gets the terminal as it was, and the dashboard goes on in the foreground.
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_z_suspends_the_command_and_fg_continues_it() {
    let url = format!("http://{}", server().await);
    let command = format!("'{}' watch --url {url} --probe health=/health", LOADGEN);
    // A shell with job control, which says how the job is.
    let script = format!("set -m; {command}; echo suspended with $?; stty -a; fg; echo ended with $?");
    let mut running = OnTerminal::start("/bin/sh", &["-c", &script], USUAL, &[]);
    running.wait_for("health", running.wait_for(TAKES, 0));
    running.press("\u{1a}");
    let suspended = running.wait_for("suspended with ", running.wait_for(GIVES_BACK, 0));
    let again = running.wait_for(TAKES, suspended);
    let shell = running.written();
    let shell = without_styles(shell.get(suspended..again).unwrap_or(&shell));
    assert!(shell.contains(" icanon") && shell.contains(" echo "), "the shell's terminal is raw: {shell}");
    running.wait_for("health", again);
    running.press("q");
    let ended = running.end();
    assert_given_back(&ended);
    assert!(ended.written.contains("stopped by SIGINT"), "{:?}", ended.written);
}
