//! Tests of the comparison: what is compared, what is noise, and what is a regression.

use serde_json::{Value, json};

use super::*;
use crate::result::{
    ArmResult, Environment, Generator, Outcome, ProbeStats, ProcessStats, Quantiles, RunResult, Side, StreamStats,
};

/// What a run may have worse than another.
#[derive(Clone)]
struct Run {
    command: &'static str,
    parameters: Value,
    p99_ms: f64,
    timed_out: u64,
    cpu_seconds: f64,
    outcome: Outcome,
    side: Option<Side>,
}

const GOOD: Run = Run {
    command: "lab",
    parameters: Value::Null,
    p99_ms: 30.0,
    timed_out: 0,
    cpu_seconds: 1.0,
    outcome: Outcome::Held,
    side: Some(Side::Fixed),
};

fn arm(run: &Run) -> ArmResult {
    let latency_ms = Quantiles { p50: 1.0, p90: 2.0, p99: run.p99_ms, max: 500.0 };
    let probe = ProbeStats {
        sent: 200,
        ok: 200 - run.timed_out,
        timed_out: run.timed_out,
        latency_ms,
        ..ProbeStats::default()
    };
    ArmResult {
        side: run.side,
        probes: [("health_sync".to_owned(), probe)].into(),
        streams: StreamStats { requested: 10, completed: 10, chunks: 10_000, ..StreamStats::default() },
        process: Some(ProcessStats { cpu_seconds: run.cpu_seconds, ..ProcessStats::default() }),
        ..ArmResult::default()
    }
}

fn named(name: &str, run: &Run) -> NamedRun {
    let environment = Environment { cores: 2, memory_bytes: 1, os: "an OS".to_owned() };
    let parameters = if run.parameters.is_null() { json!({"lab": "a"}) } else { run.parameters.clone() };
    let parameters = serde_json::from_value(parameters).unwrap();
    let mut result = RunResult::new(run.command, environment, parameters, Generator::default());
    match run.side {
        Some(side) => drop(result.arms.insert(side.as_str().to_owned(), arm(run))),
        None => result.target = Some(arm(run)),
    }
    result.verdict.result = run.outcome;
    NamedRun { name: name.to_owned(), result }
}

fn compare(runs: &[&Run]) -> Result<Comparison, NotComparable> {
    Comparison::of(runs.iter().enumerate().map(|(index, run)| named(&format!("{index}.json"), run)).collect())
}

fn regressions(runs: &[&Run], percent: f64) -> RegressionVerdict {
    compare(runs).unwrap().regressions(percent)
}

fn found(runs: &[&Run], percent: f64) -> Vec<String> {
    match regressions(runs, percent) {
        RegressionVerdict::Found(found) => {
            found.into_iter().map(|worse| format!("{} {}", worse.run, worse.what)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_figure_is_worse_beyond_the_percentage() {
    let slower = Run { p99_ms: 45.0, ..GOOD };
    assert_eq!(regressions(&[&GOOD, &slower], 50.0), RegressionVerdict::None);
    assert_eq!(found(&[&GOOD, &slower], 40.0), ["1 fixed: health-sync p99 from 30 ms to 45 ms"]);
    assert_eq!(regressions(&[&slower, &GOOD], 0.0), RegressionVerdict::None, "better is no regression");
    assert_eq!(regressions(&[&GOOD, &GOOD], 0.0), RegressionVerdict::None);
    assert_eq!(found(&[&GOOD, &GOOD, &slower], 40.0).len(), 1, "every run is compared with the first");
}

#[test]
fn a_small_difference_is_noise_whatever_its_percentage() {
    let small = |p99_ms| Run { p99_ms, ..GOOD };
    assert_eq!(regressions(&[&small(2.0), &small(11.9)], 0.0), RegressionVerdict::None);
    assert_eq!(found(&[&small(2.0), &small(12.1)], 0.0).len(), 1);
    // A microsecond a chunk is 10 ms of processor time here.
    let costs = |cpu_seconds| Run { cpu_seconds, ..GOOD };
    assert_eq!(regressions(&[&costs(0.1), &costs(0.29)], 10.0), RegressionVerdict::None);
    assert_eq!(found(&[&costs(0.1), &costs(0.31)], 10.0), ["1 fixed: CPU for each chunk from 10 µs to 31 µs"]);
}

#[test]
fn the_first_failure_is_no_noise() {
    let failing = Run { timed_out: 1, ..GOOD };
    assert_eq!(found(&[&GOOD, &failing], 1000.0), ["1 fixed: health-sync timed out from 0 % to 0.50 %"]);
    assert_eq!(regressions(&[&failing, &Run { timed_out: 2, ..GOOD }], 100.0), RegressionVerdict::None);
}

#[test]
fn a_verdict_that_got_worse_is_a_regression_and_an_invalid_run_is_none() {
    let not_held = Run { outcome: Outcome::NotHeld, ..GOOD };
    let invalid = Run { outcome: Outcome::Invalid, p99_ms: 900.0, ..GOOD };
    assert_eq!(found(&[&GOOD, &not_held], 0.0), ["1 the verdict: not held"]);
    assert_eq!(regressions(&[&not_held, &not_held], 0.0), RegressionVerdict::None);
    assert_eq!(regressions(&[&GOOD, &invalid], 0.0), RegressionVerdict::Invalid);
    assert_eq!(regressions(&[&invalid, &GOOD], 0.0), RegressionVerdict::Invalid);
}

#[test]
fn only_the_fix_a_repair_and_the_one_server_are_judged() {
    let of = |side, p99_ms| Run { side, p99_ms, ..GOOD };
    let slower = |side| regressions(&[&of(side, 30.0), &of(side, 3000.0)], 10.0);
    assert_eq!(slower(Some(Side::Broken)), RegressionVerdict::NothingToCompare);
    assert_eq!(slower(Some(Side::Control)), RegressionVerdict::NothingToCompare);
    assert!(matches!(slower(Some(Side::Fixed)), RegressionVerdict::Found(_)));
    assert!(matches!(slower(None), RegressionVerdict::Found(_)));
    let repair =
        |p99_ms| Run { parameters: json!({"lab": "a", "expect_fixed": true}), ..of(Some(Side::Broken), p99_ms) };
    assert_eq!(found(&[&repair(30.0), &repair(3000.0)], 10.0).len(), 1);
}

#[test]
fn only_runs_of_the_same_command_and_lab_are_compared() {
    let of = |command, parameters| Run { command, parameters, ..GOOD };
    let first = of("lab", json!({"lab": "a"}));
    for (other, subject) in [
        (of("lab", json!({"lab": "b"})), "lab b"),
        (of("lab", json!({"lab": "a", "fast": true})), "lab a --fast"),
        (of("demo", json!({"lab": "a"})), "demo"),
        (of("run", json!({"url": "u"})), "run"),
    ] {
        let error = compare(&[&first, &other]).unwrap_err().to_string();
        assert!(error.contains("0.json is of lab a") && error.contains(&format!("1.json of {subject}")), "{error}");
    }
}

#[test]
fn figures_stand_side_by_side_and_parameters_that_differ_are_named() {
    let of =
        |url, p99_ms| Run { command: "run", parameters: json!({"url": url, "seed": 1}), p99_ms, side: None, ..GOOD };
    let comparison = compare(&[&of("one", 30.0), &of("two", 45.0)]).unwrap();
    let values = [Some(json!("one")), Some(json!("two"))].into();
    assert_eq!(comparison.differences, [Difference { name: "url".to_owned(), values }]);
    let p99 = comparison.arms[0].figures.iter().find(|compared| compared.figure.name == "health-sync p99").unwrap();
    assert_eq!((p99.value(0), p99.value(1), p99.ratio(1)), (Some(30.0), Some(45.0), Some(1.5)));
    let failed =
        comparison.arms[0].figures.iter().find(|compared| compared.figure.name == "health-sync failed").unwrap();
    assert_eq!((failed.value(1), failed.ratio(1)), (Some(0.0), None));
    assert!(comparison.arms[0].figures.iter().all(|compared| !compared.figure.name.contains("max")));
}
