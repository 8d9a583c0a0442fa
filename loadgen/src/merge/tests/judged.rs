//! The verdict on a merged run.

use super::*;
use crate::result::Outcome;

fn pair(objectives: &[&str], fast: &[u64], slow: &[u64]) -> [RunResult; 2] {
    let later = Seen { started: STARTED + 300, ..Seen::of(slow) };
    [Seen::of(fast).result(objectives), later.result(objectives)]
}

#[test]
fn objectives_are_judged_by_the_merged_figures() {
    let met_together = pair(&["completed>=60"], &[10_000; 40], &[10_000; 40]);
    assert!(met_together.iter().all(|run| run.verdict.result == Outcome::NotHeld));
    let all = merged(&met_together);
    assert_eq!((all.verdict.result, all.verdict.claims[0].measured), (Outcome::Held, Some(80.0)), "{:?}", all.verdict);

    let missed_together = pair(&["ttft.p50<100ms"], &[10_000; 40], &[1_000_000; 41]);
    assert_eq!(merged(&missed_together).verdict.result, Outcome::NotHeld);
    assert!(!merged(&pair(&[], &[10_000], &[10_000])).verdict.judged);
}

#[test]
fn one_invalid_run_makes_the_whole_invalid_and_is_named() {
    let mut runs = pair(&["completed>=60"], &[10_000; 40], &[10_000; 40]);
    runs[1].verdict.result = Outcome::Invalid;
    runs[1].verdict.invalid_because = vec!["the generator itself lagged".to_owned()];
    runs[0].verdict.warnings = vec!["1 of 40 health probes timed out".to_owned()];
    let verdict = merged(&runs).verdict;
    assert_eq!((verdict.result, verdict.exit_code()), (Outcome::Invalid, 3));
    assert_eq!(verdict.invalid_because, ["b.json: the generator itself lagged"]);
    assert_eq!(verdict.warnings, ["a.json: 1 of 40 health probes timed out"]);
    runs[1].verdict.invalid_because.clear();
    assert_eq!(merged(&runs).verdict.invalid_because, ["b.json: it is invalid"]);
}

/// Its server rejected the request that is tried before any load.
#[test]
fn a_run_without_a_load_makes_the_whole_invalid() {
    let mut runs = pair(&["completed>=1"], &[10_000; 40], &[10_000; 4]);
    runs[1].verdict.result = Outcome::Invalid;
    runs[1].verdict.invalid_because = vec!["the server rejects the request of the streams".to_owned()];
    let target = runs[1].target.as_mut().unwrap();
    target.phases = vec![PhaseResult { name: BASELINE.to_owned(), ..PhaseResult::default() }];
    target.streams = StreamStats { requested: 1, failed: 1, ..StreamStats::default() };
    let all = merged(&runs);
    assert_eq!(all.verdict.invalid_because, ["b.json: the server rejects the request of the streams"]);
    assert_eq!((all.target.unwrap().streams.requested, all.machines[1].loaded_ms), (41, None));
}

#[test]
fn loads_that_were_not_on_at_once_prove_nothing() {
    let started_later = |ms| {
        let runs = [Seen::of(&[10_000; 9]), Seen { started: STARTED + ms, ..Seen::of(&[10_000; 9]) }];
        merged(&runs.map(|seen| seen.result(&["completed>=1"]))).verdict
    };
    assert_eq!(started_later(1_900).result, Outcome::Held);
    let verdict = started_later(8_000);
    assert_eq!(verdict.result, Outcome::Invalid);
    let why = &verdict.invalid_because[0];
    assert!(why.starts_with("the pressure was missing") && why.contains("for 2 s of 10 s"), "{why}");
}

#[test]
fn machines_are_listed_and_counted_together() {
    let runs = pair(&[], &[10_000; 40], &[20_000; 30]);
    let all = merged(&runs);
    let machines: Vec<_> = all.machines.iter().map(|machine| (machine.name.as_str(), machine.requested)).collect();
    assert_eq!(machines, [("a.json", 40), ("b.json", 30)]);
    assert_eq!((all.environment.cores, all.environment.os.as_str(), all.started_unix_ms), (4, "an OS", Some(STARTED)));
    let target = all.target.unwrap();
    // From the first start of a load to the last end: 10.00 s, and 300 ms.
    assert_eq!(target.streams.requested, 70);
    assert!((target.streams.chunks_per_second - 70.0 / 10.300_334).abs() < 1e-3, "{:?}", target.streams);
    let loaded = target.phase(LOADED).unwrap();
    assert_eq!((loaded.from_ms, loaded.to_ms), (1000.123, 11_300.457));
}

#[test]
fn what_each_counted_of_the_same_vendor_is_left_out_and_said() {
    let mut runs = pair(&[], &[10_000], &[10_000]);
    runs[1].target.as_mut().unwrap().vendor = Some(wire::ledger::Ledger::default());
    let all = merged(&runs);
    assert!(all.target.unwrap().vendor.is_none());
    assert!(all.verdict.warnings[0].starts_with("b.json: its vendor's ledger is left out"), "{:?}", all.verdict);
}
