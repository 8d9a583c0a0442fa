//! Files that nobody would write: whatever value is in one, it is merged or refused.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// The paths of all values that are no objects and no lists.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| leaves(value, &format!("{path}/{name}"), found));
        }
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(at, value)| leaves(value, &format!("{path}/{at}"), found));
        }
        _ => found.push(path.to_owned()),
    }
}

fn result(started: u64, micros: &[u64]) -> RunResult {
    let row = |at: u32| TimelineRow { t_ms: f64::from(at) * 250.0, streams_active: 2, ..TimelineRow::default() };
    let seen = Seen { started, failed: 1, rows: (0..4).map(row).collect(), ..Seen::of(micros) };
    seen.result(&["health.p99<1s", "failed_share<1%", "e2e.p99<9s", "goodput>=95%", "lost==0"])
}

#[test]
fn counts_that_nobody_can_have_counted_overflow_nothing() {
    let (first, other) = (result(STARTED, &[1_000, 2_000]), result(STARTED + 20, &[4_000]));
    for field in ["streams/left", "streams/requested", "streams/stalled", "phases/1/probes/health/timed_out"] {
        let mut json = serde_json::to_value(&first).unwrap();
        *json.pointer_mut(&format!("/target/{field}")).unwrap() = u64::MAX.into();
        let changed = serde_json::from_value(json).unwrap();
        let all = merge(vec![named("one", changed), named("two", other.clone())]);
        assert!(all.is_ok(), "{field}: {all:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_value_is_in_a_file_it_is_merged_or_refused(
        places in prop::collection::vec((any::<prop::sample::Index>(), 0..6_usize), 1..4),
        is_merged in any::<bool>(),
    ) {
        let (first, second) = (result(STARTED, &[1_000, 2_000]), result(STARTED + 9, &[3_000]));
        let other = result(STARTED + 20, &[4_000]);
        let mut json = serde_json::to_value(if is_merged { merged(&[first, second]) } else { first }).unwrap();
        let mut all = Vec::new();
        leaves(&json, "", &mut all);
        for (place, kind) in places {
            let values = [u64::MAX.into(), 0.into(), 1e300.into(), (-1e300).into(), Value::Null, "text".into()];
            let place: &String = place.get(&all);
            *json.pointer_mut(place).unwrap() = values[kind].clone();
        }
        // Most of them are no results any more.
        if let Ok(changed) = serde_json::from_value::<RunResult>(json) {
            for runs in [[changed.clone(), other.clone()], [other, changed]] {
                let [one, two] = runs;
                let _ = merge(vec![named("one", one), named("two", two)]);
            }
        }
    }
}
