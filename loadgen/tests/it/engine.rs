//! The engine with faulty programs: each run is invalid, gives the reason, and stops everything.

use std::time::{Duration, Instant};

use crate::test_programs::{TestPrograms, said};
use process::Output;

/// A run of one server.
fn run(programs: &TestPrograms, more: &[&str]) -> Output {
    let args = ["lab", "pool-per-chunk", "--fast", "--side", "broken"];
    programs.run(&[&args[..], more].concat())
}

fn assert_invalid(programs: &TestPrograms, output: &Output, named: &[&str]) {
    assert_eq!(output.status.code(), Some(3), "{}", said(output));
    let error = output.stderr.clone();
    assert!(named.iter().all(|word| error.contains(word)), "{named:?}: {error}");
    assert!(programs.running().is_empty(), "left behind: {:?}", programs.running());
}

#[test]
fn a_program_that_does_not_start_is_quoted() {
    let programs = TestPrograms::beside_others("ends");
    programs.replace("broken-server", "echo 'no such mistake' >&2; exit 2");
    assert_invalid(&programs, &run(&programs, &[]), &["broken-server", "no such mistake"]);
}

#[test]
fn a_program_that_never_becomes_ready_times_out() {
    let programs = TestPrograms::beside_others("never");
    programs.replace("broken-server", "echo 'still thinking' >&2; exec sleep 600");
    let began = Instant::now();
    let output = run(&programs, &["--start-timeout", "1s"]);
    assert!(began.elapsed() < Duration::from_secs(15));
    assert_invalid(&programs, &output, &["broken-server", "still thinking", "1s"]);
}

#[test]
fn a_program_that_dies_during_the_run_ends_it() {
    let programs = TestPrograms::beside_others("dies");
    let real = std::path::Path::new(env!("CARGO_BIN_EXE_loadgen")).with_file_name("mock-llm");
    // It serves for a second and is then killed, as by a system short of memory.
    let script =
        format!("{} \"$@\" & server=$!; sleep 1.5; kill -KILL $server; echo 'out of luck' >&2; exit 9", real.display());
    programs.replace("mock-llm", &script);
    assert_invalid(&programs, &run(&programs, &[]), &["mock-llm", "out of luck"]);
}

#[test]
fn an_action_that_is_rejected_ends_the_run_and_is_named() {
    let programs = TestPrograms::beside_others("action");
    let real = std::path::Path::new(env!("CARGO_BIN_EXE_loadgen")).with_file_name("broken-server");
    // Another mistake, which has no rollout to be changed.
    let script = format!("exec {} $(echo \"$@\" | sed 's/--mistake rollout/--mistake more-threads/')", real.display());
    programs.replace("broken-server", &script);
    let output = programs.run(&["lab", "rollout", "--fast", "--side", "broken"]);
    assert_invalid(&programs, &output, &["PUT /debug/rollout", "status 404"]);
}

#[test]
fn a_program_that_floods_its_output_can_be_measured() {
    let programs = TestPrograms::beside_others("floods");
    let real = std::path::Path::new(env!("CARGO_BIN_EXE_loadgen")).with_file_name("fixed-server");
    // Megabytes, with and without line ends, before it serves.
    let script = format!(
        "head -c 3000000 /dev/zero | tr '\\0' 'x' >&2; echo >&2; \
         i=0; while [ $i -lt 3000 ]; do echo 'a line that nobody reads, and then some more of it' >&2; i=$((i+1)); done; \
         exec {} \"$@\"",
        real.display()
    );
    programs.replace("fixed-server", &script);
    let args = ["lab", "pool-per-chunk", "--fast", "--side", "fixed"];
    let output = programs.run(&args);
    // Held, or invalid on a busy machine, but measured.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", said(&output));
    assert!(said(&output).contains("Verdict:"), "{}", said(&output));
    assert!(programs.running().is_empty());
}

#[test]
fn a_missing_program_is_named() {
    let programs = TestPrograms::beside_others("missing");
    std::fs::remove_file(programs.path("fixed-server")).unwrap();
    let args = ["lab", "pool-per-chunk", "--fast", "--side", "fixed"];
    let output = programs.run(&args);
    assert_invalid(&programs, &output, &["fixed-server", "make build"]);
}

/// Faulty vendors, each as flags that are added to those of the lab.
const VENDORS: [(&str, &str); 3] = [
    ("answers 500", r#""$@" --fault status=500"#),
    ("hangs", r#""$@" --fault hang"#),
    // The lab's own number follows --tokens.
    ("sends one token", r#"$(echo "$@" | sed 's/--tokens [0-9]*/--tokens 1/')"#),
];

/// With a faulty vendor neither a repair nor a mistake can be judged.
#[test]
fn a_vendor_that_does_not_do_its_part_makes_the_run_invalid() {
    let real = std::path::Path::new(env!("CARGO_BIN_EXE_loadgen")).with_file_name("mock-llm");
    const SIDES: [&[&str]; 2] = [&["--expect-fixed"], &["--side", "broken"]];
    let runs = SIDES.map(|side| [&["lab", "pool-per-chunk", "--fast"], side].concat());
    std::thread::scope(|scope| {
        for (vendor, args) in VENDORS {
            let (runs, real) = (runs.each_ref().map(Vec::as_slice), real.display().to_string());
            scope.spawn(move || {
                let programs = TestPrograms::beside_others(&vendor.replace(' ', "-"));
                programs.replace("mock-llm", &format!("exec {real} {args}"));
                for (output, side) in programs.run_at_once(&runs).iter().zip(SIDES) {
                    let said = said(output);
                    assert_eq!(output.status.code(), Some(3), "{vendor}, {side:?}:\n{said}");
                    assert!(said.contains("the pressure was missing"), "{vendor}, {side:?}:\n{said}");
                    assert!(!said.contains("Not repaired"), "{vendor}, {side:?}:\n{said}");
                }
                assert!(programs.running().is_empty());
            });
        }
    });
}
