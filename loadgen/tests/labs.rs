//! Every lab in its fast profile, as a user runs it, with the real programs. They run one at a time: each runs up to
//! ten processes and judges latencies.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod page_rules;
mod result_schema;
mod test_programs;

use std::time::Duration;

use loadgen::lab::Lab;
use loadgen::labs;
use loadgen::result::{ClaimKind, ClaimResult, Outcome, RunResult, Side};
use loadgen::verdict;
use process::{Output, Signal};
use result_schema::ResultSchema;
use serde_json::Value;
use test_programs::{TestPrograms, said};

/// Runs labs at once. One that is invalid, because the others keep the machine busy, runs again alone.
fn valid_runs(programs: &TestPrograms, runs: &[&[&str]]) -> Vec<Output> {
    let outputs = programs.run_at_once(runs).into_iter().zip(runs);
    outputs
        .map(|(output, args)| if output.status.code() == Some(3) { valid_run(programs, args) } else { output })
        .collect()
}

/// Runs a lab until it is held or not held: on a busy machine a run may be invalid, but not every one.
fn valid_run(programs: &TestPrograms, args: &[&str]) -> Output {
    const RUNS_MAX: u32 = 6;
    let mut output = programs.run(args);
    for _ in 1..RUNS_MAX {
        if output.status.code() != Some(3) {
            break;
        }
        output = programs.run(args);
    }
    output
}

/// One test instead of ten, so that labs do not run at the same time.
#[test]
fn every_lab_holds_and_fails_without_its_mistake() {
    let programs = TestPrograms::new("labs");
    let (all, out) = (programs.path("all.json"), programs.path("result.json"));
    let html = programs.path("page.html");
    let output = programs.run(&["labs", "--all", "--fast", "--out", &all, "--html", &html]);
    let in_turn = said(&output);
    assert!(programs.running().is_empty(), "left behind: {:?}", programs.running());
    let combined = result_in(&all);
    page_rules::check(&std::fs::read_to_string(html).unwrap(), &combined);
    ResultSchema::new().accepts(&combined);
    let summary = in_turn.split("All labs").nth(1).unwrap_or_else(|| panic!("no summary:\n{in_turn}"));
    assert_eq!(combined["labs"].as_object().unwrap().len(), labs::all().len(), "{in_turn}");
    let (mut outcomes, mut undecided) = (Vec::new(), Vec::new());
    for lab in labs::all() {
        let mut result = combined["labs"][lab.name].clone();
        let outcome = result["verdict"]["result"].as_str().unwrap().to_owned();
        assert!(sums_up(summary, lab.name, &outcome), "{}: {summary}", lab.name);
        if outcome == "invalid" {
            let again = valid_run(&programs, &["lab", lab.name, "--fast", "--out", &out]);
            result = result_in(&out);
            outcomes.push(outcome);
            // On a busy machine one of the ten labs may stay invalid.
            if again.status.code() == Some(3) {
                undecided.push(lab.name);
                continue;
            }
            assert_eq!(again.status.code(), Some(0), "{}:\n{}", lab.name, said(&again));
        } else {
            outcomes.push(outcome);
        }
        assert_eq!(result["verdict"]["result"], "held", "{}:\n{in_turn}", lab.name);
        obeys_the_laws(lab, &result);
        is_able_to_fail(lab, result);
    }
    assert!(summary.lines().count() < 24, "more than a screen: {summary}");
    assert!(undecided.len() <= 1, "the machine was too busy to judge {undecided:?}");
    let expected = if outcomes.iter().all(|outcome| outcome == "held") { 0 } else { 3 };
    assert_eq!(output.status.code(), Some(expected), "{summary}");
    reads_well(&in_turn);
}

/// Whether the summary says so: those that held are in one list, and each of the others has its line.
fn sums_up(summary: &str, lab: &str, outcome: &str) -> bool {
    let (others, held) = summary.split_once("\n  held: ").unwrap_or((summary, ""));
    let is_in = |words: &str| words.split([' ', ',', '\n']).any(|word| word == lab);
    match outcome {
        "held" => is_in(held.split('(').next().unwrap_or_default()),
        _ => others.lines().any(|line| is_in(line) && line.contains(outcome)),
    }
}

fn result_in(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The output fits a terminal and names the files.
fn reads_well(said: &str) {
    let lines = said
        .lines()
        .filter(|line| !line.contains("The result:") && !line.contains("The page:") && !line.contains("invalid"));
    let wide: Vec<_> = lines.filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "wider than a terminal: {wide:#?}");
    for file in labs::all().iter().flat_map(|lab| [lab.mistake_file(), lab.fix_file.to_owned()]) {
        assert!(said.contains(&file), "{file} is not named:\n{said}");
    }
}

/// Sums that must be right in every result.
fn obeys_the_laws(lab: &Lab, result: &Value) {
    let sum = |of: &Value, parts: &[&str]| parts.iter().map(|part| of[part].as_u64().unwrap()).sum::<u64>();
    assert_eq!(result["parameters"]["lab"], lab.name);
    let arms = result["arms"].as_object().unwrap();
    assert_eq!(arms.len(), lab.fast.arms.len(), "{}", lab.name);
    for (name, arm) in arms {
        let context = format!("{}, {name}", lab.name);
        for phase in arm["phases"].as_array().unwrap() {
            for (probe, stats) in phase["probes"].as_object().unwrap() {
                assert_eq!(stats["sent"], sum(stats, &["ok", "failed", "timed_out"]), "{context}, {probe}");
            }
            if let Some(streams) = phase.get("streams") {
                let ended = sum(streams, &["completed", "failed", "truncated", "left"]);
                assert_eq!(streams["requested"], ended, "{context}, {}", phase["name"]);
            }
        }
        if let Some(ledger) = arm.get("vendor").filter(|ledger| ledger.is_object()) {
            assert_eq!(ledger["started"], sum(ledger, &["completed", "cancelled", "failed", "active"]), "{context}");
        }
    }
}

/// With the control's figures in place of those of the servers with the mistake, every claim about the mistake must
/// fail and the run must stay valid. A claim that holds without the mistake says nothing about it.
fn is_able_to_fail(lab: &Lab, result: Value) {
    let mut result: RunResult = serde_json::from_value(result).unwrap();
    let control = result.arms["control"].clone();
    let arms: Vec<_> = lab.fast.arms.iter().map(|arm| arm.name.as_str()).collect();
    let side = |arm: &str| lab.fast.arm(arm).map(|arm| arm.side);
    for arm in arms.iter().filter(|arm| side(arm) == Some(Side::Broken)) {
        result.arms.insert((*arm).to_owned(), control.clone());
    }
    let verdict = verdict::of_lab(&lab.fast, &arms, &result);
    // Where the machine was busy while the lab held all the same, that may explain why the claims fail now.
    let is_judged = verdict.result == Outcome::NotHeld || verdict::was_busy(&verdict);
    assert!(is_judged, "{}, its mistake removed: {verdict:#?}", lab.name);
    let of_fix = |claim: &ClaimResult| side(&claim.arm) == Some(Side::Fixed);
    let of_mistake = verdict.claims.iter().filter(|claim| claim.kind == ClaimKind::Effect && !of_fix(claim));
    let (fallen, held): (Vec<_>, Vec<_>) = of_mistake.partition(|claim| !claim.held);
    assert!(held.is_empty() && !fallen.is_empty(), "{}: hold without the mistake: {held:#?}", lab.name);
}

/// The mistake does not meet the claims of the fix.
#[test]
fn a_server_with_its_mistake_is_not_judged_repaired() {
    let programs = TestPrograms::new("unmended");
    let labs = ["pool-exhaustion", "wrong-canary", "orphaned-streams"];
    let runs = labs.map(|lab| ["lab", lab, "--fast", "--expect-fixed"]);
    let outputs = valid_runs(&programs, &runs.each_ref().map(|args| &args[..]));
    for (lab, output) in labs.iter().zip(outputs) {
        assert_eq!(output.status.code(), Some(1), "{lab}:\n{}", said(&output));
    }
    assert!(programs.running().is_empty());
}

#[test]
fn one_side_alone_is_judged_alone() {
    let programs = TestPrograms::new("side");
    let out = programs.path("side.json");
    let lab = ["lab", "pool-per-chunk", "--fast", "--side", "fixed", "--quiet", "--out", &out];
    let output = valid_run(&programs, &lab);
    ResultSchema::new().accepts(&result_in(&out));
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains("broken"), "{said}");
    assert!(said.contains("One side: not judged against the control."), "{said}");
    // Quiet: nothing before the table and nothing after the verdict.
    let first = said.lines().next().unwrap_or_default();
    assert!(first.trim() == "fixed-server" && !said.contains("Not shown:"), "{said}");
}

/// The control has no mistake: judged as a repair it holds, judged as the mistake it does not.
#[test]
fn the_control_is_judged_repaired_and_not_broken() {
    let programs = TestPrograms::new("other");
    let labs = ["pool-per-chunk", "blocked-executor"];
    let removed = labs.map(|lab| vec!["lab", lab, "--fast", "--mistake", "none"]);
    let repaired = labs.map(|lab| vec!["lab", lab, "--fast", "--mistake", "none", "--expect-fixed"]);
    let runs: Vec<_> = removed.iter().chain(&repaired).map(Vec::as_slice).collect();
    let outputs = valid_runs(&programs, &runs);
    let expected = [(1, "the mistake did not show"), (0, "Repaired: all")].into_iter().flat_map(|what| [what; 2]);
    for ((args, output), (code, sentence)) in runs.iter().zip(&outputs).zip(expected) {
        let said = said(output);
        assert_eq!(output.status.code(), Some(code), "{args:?}:\n{said}");
        assert!(said.contains(sentence), "{args:?}:\n{said}");
    }
}

/// The summary has the named labs, and the command for those that did not hold.
#[test]
fn labs_by_name_are_run_and_summarized() {
    let programs = TestPrograms::beside_others("names");
    let output = programs.run(&["labs", "pool-per-chunk", "--fast"]);
    let said = said(&output);
    let summary = said.split("All labs").nth(1).unwrap_or_default();
    assert!(summary.contains("pool-per-chunk") && !summary.contains("rollout"), "{said}");
    let left = summary.contains("make labs NAMES=\"pool-per-chunk\" FAST=1");
    assert_eq!(left, output.status.code() != Some(0), "{said}");
}

#[test]
fn kept_programs_answer_until_ctrl_c() {
    let programs = TestPrograms::beside_others("keep");
    let mut kept = programs.spawn(&["lab", "blocked-executor", "--fast", "--side", "fixed", "--keep"]);
    let line = kept.wait_for_line(Duration::from_secs(60), |line| line.contains("its vendor"));
    let urls: Vec<_> = line.split_whitespace().filter_map(|word| word.strip_prefix("http://")).collect();
    assert_eq!(urls.len(), 2, "{line}");
    for addr in urls {
        assert!(std::net::TcpStream::connect(addr).is_ok(), "nobody answers at {addr}");
    }
    kept.signal(Signal::Int);
    assert!(matches!(kept.exit_code(), Some(0 | 3)), "its verdict's code");
    programs.wait_until_gone();
}
