//! The demo as a user runs it, with the real programs: its claims, its result file, and that it stops
//! everything however it ends.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod page_rules;
mod result_schema;
mod test_programs;

use std::fs;
use std::process::Command;
use std::time::Duration;

use process::{Output, Signal};
use result_schema::ResultSchema;
use serde_json::Value;
use test_programs::TestPrograms;

/// Runs the demo until it is held or not held: on a machine that is busy with other tests a run may be invalid,
/// but not every one.
fn valid_run(programs: &TestPrograms, out: &str, html: &str) -> Output {
    let args = ["demo", "both", "--fast", "--out", out, "--html", html];
    let mut output = programs.run(&args);
    for _ in 0..3 {
        if output.status.code() != Some(3) {
            break;
        }
        output = programs.run(&args);
    }
    output
}

#[test]
fn the_demo_shows_the_collapse_and_its_absence() {
    let programs = TestPrograms::new("both");
    let (out, html) = (programs.path("result.json"), programs.path("page.html"));
    let output = valid_run(&programs, &out, &html);
    let said = output.stdout.clone();
    assert_eq!(output.status.code(), Some(0), "{said}\n{}", output.stderr);
    assert!(programs.running().is_empty(), "left behind: {:?}", programs.running());

    // Except for the paths of the files, whose length is not in our hands.
    let mut lines = said.lines().filter(|line| !line.contains("result.json") && !line.contains("page.html"));
    assert!(lines.all(|line| line.chars().count() <= 80), "wider than a terminal:\n{said}");
    assert!(!said.contains('\u{1b}'), "colour without a terminal");
    assert!(said.contains("Verdict: HELD"), "{said}");
    for file in ["broken-server/src/mistakes/threads/pool_exhaustion.rs", "fixed-server/src/"] {
        assert!(said.contains(file), "{file} is not named:\n{said}");
    }

    let result: Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
    let again = programs.report(&out);
    assert!(said.contains(again.stdout.trim_end().rsplit("\n\n").next().unwrap()), "{}", again.stdout);
    page_rules::check(&fs::read_to_string(html).unwrap(), &result);
    assert!(result["command_line"].as_str().unwrap().contains("demo both --fast --out "), "{}", result["command_line"]);
    ResultSchema::new().refuses_changes(&result);
    it_ends_with_what_was_measured(&said, &result);
    its_picture_shows_the_collapse(&programs, &out);
    let at = |path: &str| result.pointer(path).unwrap_or_else(|| panic!("{path} is missing in {result:#}"));
    assert_eq!(at("/verdict/result"), "held");
    // The streams of the last phase are still open at the end of the fast profile.
    for (arm, what) in [("fixed", "failed"), ("fixed", "truncated"), ("control", "failed"), ("control", "truncated")] {
        assert_eq!(at(&format!("/arms/{arm}/streams/{what}")), 0, "{arm} {what}");
    }
    for arm in ["fixed", "control"] {
        assert!(at(&format!("/arms/{arm}/streams/completed")).as_u64() >= Some(15), "{arm}");
    }
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

/// The verdict, then the table, then a sentence per side, with the figures of the result file.
fn it_ends_with_what_was_measured(said: &str, result: &Value) {
    let at = |text: &str| said.find(text).unwrap_or_else(|| panic!("'{text}' is not in:\n{said}"));
    assert!(at(" cpu") < at("Verdict:"), "the lines of a run show the processor:\n{said}");
    assert!(at("Verdict:") < at("\n time to answer"), "{said}");
    let end: String = said.rsplit("\n\n").next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    let broken = &result["arms"]["broken"];
    let number = |pointer: &str| broken.pointer(pointer).and_then(Value::as_u64).unwrap();
    let expected = [
        format!("With {} streams open, the broken server", number("/streams/peak_active")),
        format!("{} of {} users waited", number("/streams/first_token_late"), number("/streams/requested")),
        format!("{} of {}", number("/probes/health_sync/timed_out"), number("/probes/health_sync/sent")),
        "The same framework without the mistake answered every health check within".to_owned(),
        "The fixed server answered every health check within".to_owned(),
    ];
    for expected in expected {
        assert!(end.contains(&expected), "'{expected}' is not in: {end}");
    }
    assert!(end.ends_with('.'), "{end}");
}

fn its_picture_shows_the_collapse(programs: &TestPrograms, result: &str) {
    for scheme in ["light", "dark"] {
        let file = programs.path(&format!("{scheme}.svg"));
        let report = ["report", result, "--picture", &file, "--scheme", scheme];
        let output = Command::new(env!("CARGO_BIN_EXE_loadgen")).args(report).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let picture = fs::read_to_string(&file).unwrap();
        for shown in ["<!-- Made by `make pictures` from a run of `loadgen demo`: held.", "collapse of broken<"] {
            assert!(picture.contains(shown), "{scheme}: no '{shown}' in\n{picture}");
        }
    }
}

#[test]
fn an_interrupted_demo_stops_what_it_started() {
    let programs = TestPrograms::beside_others("signals");
    // SIGHUP is what a terminal sends when its window is closed.
    for signal in [Signal::Int, Signal::Term, Signal::Hup] {
        let demo = programs.spawn(&["demo", "broken"]);
        programs.wait_until_running(2);
        demo.signal(signal);
        assert_eq!(demo.exit_code(), Some(3), "{signal:?}");
        assert!(programs.running().is_empty(), "{signal:?} left behind: {:?}", programs.running());
    }
}

#[test]
fn a_closed_output_keeps_nothing_running() {
    let programs = TestPrograms::beside_others("closed");
    let mut demo = programs.spawn(&["demo", "fixed"]);
    demo.close_output();
    programs.wait_until_running(2);
    // It writes a line per second into the closed pipe, which must neither kill it nor block it.
    std::thread::sleep(Duration::from_secs(2));
    assert!(!demo.has_ended(), "died of a closed output");
    demo.signal(Signal::Int);
    demo.exit_code();
    programs.wait_until_gone();
}

#[test]
fn a_program_that_dies_mid_run_ends_the_run_as_invalid() {
    let programs = TestPrograms::beside_others("dies");
    let demo = programs.spawn(&["demo", "fixed"]);
    programs.wait_until_running(2);
    for pid in programs.pids("mock-llm") {
        assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    }
    assert_eq!(demo.exit_code(), Some(3));
    assert!(programs.running().is_empty(), "left behind: {:?}", programs.running());
}
