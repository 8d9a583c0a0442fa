//! Runs that are not parts of one load, and files that do not have what merging needs.

use super::*;
use crate::result::EncodedHistogram;

/// Why `a.json` and `b.json`, changed, are not merged.
fn refused(change: impl FnOnce(&mut RunResult)) -> String {
    let first = Seen::of(&[10_000; 4]).result(&[]);
    let mut other = Seen { started: STARTED + 10, ..Seen::of(&[20_000; 5]) }.result(&[]);
    assert!(merge(vec![named("a", first.clone()), named("b", other.clone())]).is_ok());
    change(&mut other);
    merge(vec![named("a", first), named("b", other)]).err().unwrap_or_else(|| panic!("it is merged")).to_string()
}

fn target(run: &mut RunResult) -> &mut ArmResult {
    run.target.as_mut().unwrap()
}

#[test]
fn what_differs_is_named_with_both_values() {
    let why = refused(|run| _ = run.parameters.insert("concurrency".to_owned(), json!(40)));
    assert!(why.starts_with("b.json: parameters.concurrency is 40, and in a.json it is null"), "{why}");
    let why = refused(|run| _ = run.parameters.insert("url".to_owned(), json!("http://h:1/other")));
    assert!(why.contains(r#"parameters.url is "http://h:1/other", and in a.json it is "http://h:1""#), "{why}");
    let seeds = [1, 2].map(|seed| {
        let mut run = Seen { started: STARTED + seed, ..Seen::of(&[1]) }.result(&[]);
        run.parameters.insert("seed".to_owned(), json!(seed));
        run
    });
    assert_eq!(merged(&seeds).parameters["seed"], json!(null), "each machine may have its own");
}

#[test]
fn other_commands_and_older_files_are_named() {
    let why = refused(|run| run.command = "verify".to_owned());
    assert!(why.starts_with("b.json: it is of `loadgen verify`"), "{why}");
    let why = refused(|run| run.started_unix_ms = None);
    assert!(why.starts_with("b.json: it has no time of its start") && why.contains("older loadgen"), "{why}");
    let why = refused(|run| target(run).streams.histograms.clear());
    assert!(why.starts_with("b.json: it has no histogram of `latency_ms`"), "{why}");
    let clear = |run: &mut RunResult| {
        target(run).phases.iter_mut().flat_map(|phase| phase.probes.values_mut()).for_each(|it| it.histograms.clear());
    };
    assert!(refused(clear).starts_with("b.json: it has no histogram of `latency_ms`"));
}

#[test]
fn a_damaged_histogram_is_named() {
    let damage = |run: &mut RunResult| {
        let histograms = &mut target(run).streams.histograms;
        histograms.insert("inter_token_ms".to_owned(), EncodedHistogram("HISTnothing".to_owned()));
    };
    let why = refused(damage);
    assert!(why.starts_with("b.json: the histogram of inter_token_ms: it is no histogram"), "{why}");
    let why = refused(|run| target(run).streams.latency_ms.p99 = 1.0);
    assert!(why.contains("latency_ms: its percentiles are not those beside it"), "{why}");
}

#[test]
fn a_run_is_not_counted_twice_under_any_name() {
    let (a, b) = (Seen::of(&[1, 2, 3]).result(&[]), Seen { started: STARTED + 5, ..Seen::of(&[4]) }.result(&[]));
    let twice = |runs| merge(runs).err().map(|why| why.to_string()).unwrap_or_default();
    let why = twice(vec![named("a", a.clone()), named("copy", a.clone())]);
    assert!(why.starts_with("copy.json: it has the same run as a.json"), "{why}");
    let both = merged(&[a.clone(), b]);
    let why = twice(vec![named("a", a), named("both", both)]);
    assert!(why.starts_with("both.json: it has the same run as a.json"), "{why}");
}

#[test]
fn runs_of_different_hours_are_not_one_load() {
    let why = refused(|run| run.started_unix_ms = Some(STARTED + 2 * 3_600_000));
    assert!(why.starts_with("b.json: it started 120 minutes before or after a.json"), "{why}");
    assert!(refused(|run| run.started_unix_ms = Some(0)).contains("start within an hour"));
    assert!(refused(|run| run.started_unix_ms = Some(u64::MAX)).contains("start within an hour"));
}

#[test]
fn objectives_that_nobody_could_have_given_are_named() {
    let runs = [1, 2].map(|later| {
        let mut run = Seen { started: STARTED + later, ..Seen::of(&[1]) }.result(&[]);
        run.parameters.insert("objectives".to_owned(), json!(["quickly"]));
        named("a", run)
    });
    let why = merge(runs.into()).err().map(|why| why.to_string()).unwrap_or_default();
    assert!(why.starts_with("a.json: parameters.objectives: 'quickly' is not a valid objective"), "{why}");
}
