//! Merged figures are those of all values together, in whatever order runs are merged.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn seen() -> impl Strategy<Value = Seen> {
    let micros = prop::collection::vec(prop_oneof![1_u64..2_000, 1_u64..4_000_000, 1_u64..4_000_000_000], 0..80);
    let rows = prop::collection::vec((0.0_f64..40.0, 0_u64..50), 0..20);
    (micros, 0_u64..600, 0_u64..4, rows).prop_map(|(micros, later, failed, rows)| {
        let row = |(index, (late, streams)): (usize, &(f64, u64))| TimelineRow {
            t_ms: index as f64 * 250.0 + late,
            streams_active: *streams,
            chunks: *streams,
            probe_max_ms: BTreeMap::from([("health".to_owned(), *late)]),
            ..TimelineRow::default()
        };
        Seen { started: STARTED + later * 8, micros, failed, rows: rows.iter().enumerate().map(row).collect() }
    })
}

fn json(result: &RunResult) -> Value {
    serde_json::to_value(result).unwrap()
}

proptest! {
    // Each merges dozens of histograms, which takes half a second of a debug build. Every run tries others.
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn percentiles_are_those_of_all_values(parts in prop::collection::vec(seen(), 2..5)) {
        // None is the same as another, which would be refused.
        let runs: Vec<_> = parts.iter().enumerate().map(|(index, part)| {
            Seen { started: part.started + index as u64, ..part.clone() }.result(&[])
        }).collect();
        let all = Seen {
            micros: parts.iter().flat_map(|part| part.micros.clone()).collect(),
            failed: parts.iter().map(|part| part.failed).sum(),
            ..Seen::of(&[])
        };
        let target = merged(&runs).target.unwrap();
        let (expected, sent) = (all.streams(), all.micros.len() as u64 + all.failed);
        prop_assert_eq!((target.streams.requested, target.streams.completed), (expected.requested, expected.completed));
        prop_assert_eq!(target.streams.latency_ms, expected.latency_ms);
        prop_assert_eq!(target.streams.time_to_first_token_ms, expected.time_to_first_token_ms);
        prop_assert_eq!(&target.streams.histograms, &expected.histograms);
        let (goodput, missed) = (target.streams.goodput.unwrap(), expected.goodput.unwrap().missed);
        prop_assert_eq!((goodput.met, goodput.of, goodput.missed), (expected.requested, sent, missed));
        let one = &target.targets[0];
        prop_assert_eq!((target.targets.len(), &one.streams.histograms), (1, &target.streams.histograms));
        prop_assert_eq!(one.probes["health"].latency_ms, target.probes["health"].latency_ms);
        let (health, idle) = (&target.probes["health"], &target.baseline.probes["health"]);
        prop_assert_eq!((health.sent, health.failed), (sent, all.failed));
        prop_assert_eq!(health.latency_ms, all.latencies().quantiles_among(sent));
        prop_assert_eq!(&health.distribution, &all.latencies().slower_half_among(sent));
        prop_assert_eq!(health.latency_ms, idle.latency_ms);
    }

    #[test]
    fn it_does_not_matter_what_is_merged_first(a in seen(), b in seen(), c in seen()) {
        let [a, b, c] = [(0, a), (1, b), (2, c)].map(|(index, part)| {
            let mut result = Seen { started: part.started + index, ..part }.result(&["health.p99<1s"]);
            result.parameters.insert("seed".to_owned(), (index % 2).into());
            result
        });
        let all = json(&merged(&[a.clone(), b.clone(), c.clone()]));
        let last_two = merge(vec![named("b", b.clone()), named("c", c.clone())]).unwrap();
        let left = merge(vec![named("a", a.clone()), named("bc", last_two)]).unwrap();
        let first_two = merge(vec![named("a", a), named("b", b)]).unwrap();
        let right = merge(vec![named("ab", first_two), named("c", c)]).unwrap();
        prop_assert_eq!(&json(&left), &all);
        prop_assert_eq!(&json(&right), &all);
    }
}

/// A tenth of the users waits for a second, and nobody for half of one.
#[test]
fn an_average_of_percentiles_is_the_percentile_of_nothing() {
    let fast = Seen::of(&[10_000; 900]);
    let slow = Seen { started: STARTED + 1, ..Seen::of(&[1_000_000; 100]) };
    let p99 = |seen: &Seen| seen.streams().latency_ms.p99;
    assert_eq!((p99(&fast), p99(&slow)), (10.0, 1000.0), "their average is 505 ms");
    let all = merged(&[fast.result(&[]), slow.result(&[])]).target.unwrap().streams;
    let near = |measured: f64, expected: f64| (measured / expected - 1.0).abs() < 0.001;
    assert!(near(all.latency_ms.p50, 10.0) && near(all.latency_ms.p90, 10.0), "{:?}", all.latency_ms);
    assert!(near(all.latency_ms.p99, 1000.0) && all.latency_ms.max == 1000.0, "{:?}", all.latency_ms);
}
