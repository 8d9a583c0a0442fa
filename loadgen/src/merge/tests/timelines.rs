//! The timelines of several machines.

use super::*;

/// Rows of a run that is `late` in each, with these streams.
fn rows(late: &[f64], streams: u64) -> Vec<TimelineRow> {
    let row = |(index, late): (usize, &f64)| TimelineRow {
        t_ms: index as f64 * 250.0 + late,
        streams_active: streams,
        chunks: 10,
        threads: Some(streams),
        probe_max_ms: BTreeMap::from([("health".to_owned(), streams as f64)]),
        probe_timed_out: BTreeMap::from([("health".to_owned(), 1)]),
        ..TimelineRow::default()
    };
    late.iter().enumerate().map(row).collect()
}

fn timeline(runs: &[(u64, Vec<TimelineRow>)]) -> Vec<TimelineRow> {
    let run = |(started, rows): &(u64, Vec<TimelineRow>)| {
        Seen { started: *started, rows: rows.clone(), ..Seen::of(&[started % 1000 + 1]) }.result(&[])
    };
    merged(&runs.iter().map(run).collect::<Vec<_>>()).target.unwrap().timeline
}

#[test]
fn what_happened_at_the_same_time_stands_in_one_row() {
    let rows = timeline(&[(STARTED, rows(&[0.1; 4], 20)), (STARTED + 500, rows(&[0.1; 4], 30))]);
    assert_eq!(rows.iter().map(|row| row.streams_active).collect::<Vec<_>>(), [20, 20, 50, 50, 30, 30]);
    assert!(rows.windows(2).all(|pair| pair[1].t_ms - pair[0].t_ms == 250.0), "{rows:?}");
    let both = &rows[2];
    assert_eq!((both.chunks, both.probe_timed_out["health"], both.probe_max_ms["health"]), (20, 2, 30.0));
    assert_eq!(both.threads, Some(30), "it is one server");
}

#[test]
fn a_sample_that_was_late_leaves_no_gap_and_no_peak() {
    // The second is so late that its row is the next one's too.
    let late = timeline(&[(STARTED, rows(&[0.0, 240.0, 0.0, 0.0], 20)), (STARTED + 1, rows(&[0.0; 4], 30))]);
    assert_eq!(late.iter().map(|row| row.streams_active).collect::<Vec<_>>(), [50; 4]);
    assert_eq!(late.iter().map(|row| row.chunks).collect::<Vec<_>>(), [20, 10, 30, 20]);
}

#[test]
fn rows_that_nobody_would_write_take_no_memory() {
    let mut hostile = rows(&[0.0; 3], 20);
    (hostile[0].t_ms, hostile[1].t_ms, hostile[2].t_ms) = (-1e300, 1e300, 3.0);
    assert!(timeline(&[(STARTED, hostile), (STARTED + 1, rows(&[0.0], 1))]).len() <= 4);
}

#[test]
fn the_most_that_were_open_at_once_are_those_in_one_row() {
    let peak = |later| {
        let seen = |started, streams| Seen { started, rows: rows(&[0.0; 44], streams), ..Seen::of(&[streams]) };
        let runs = [seen(STARTED, 20), seen(STARTED + later, 30)].map(|seen| seen.result(&[]));
        merged(&runs).target.unwrap().streams.peak_active
    };
    assert_eq!((peak(500), peak(60_000)), (50, 30));
}
