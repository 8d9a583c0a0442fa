//! The streams of two runs, together.

use std::collections::BTreeMap;

use super::MergeError;
use super::latencies::{Recorded, joined};
use crate::measure::Latencies;
use crate::result::{Quantiles, RequestGoodput, StreamStats};

/// Where the percentiles of a latency are.
type Field = fn(&mut StreamStats) -> &mut Quantiles;

/// All latencies of streams.
const LATENCIES: [(&str, Field); 8] = [
    ("retry_after_ms", |streams| &mut streams.retry_after_ms),
    ("latency_ms", |streams| &mut streams.latency_ms),
    ("latency_from_sent_ms", |streams| &mut streams.latency_from_sent_ms),
    ("rejection_latency_ms", |streams| &mut streams.rejection_latency_ms),
    ("time_to_first_token_ms", |streams| &mut streams.time_to_first_token_ms),
    ("time_to_first_token_from_sent_ms", |streams| &mut streams.time_to_first_token_from_sent_ms),
    ("inter_token_ms", |streams| &mut streams.inter_token_ms),
    ("time_per_token_ms", |streams| &mut streams.time_per_token_ms),
];

/// Adds `theirs` to `ours`; the names are those of their files. Rates are left to the whole.
pub(super) fn add(
    ours: &mut StreamStats,
    mut theirs: StreamStats,
    [our_file, their_file]: [&str; 2],
) -> Result<(), MergeError> {
    let mut histograms = BTreeMap::new();
    for (field, of) in LATENCIES {
        let (our_times, their_times) = (*of(ours), *of(&mut theirs));
        let our_times = Recorded { file: our_file, quantiles: our_times, histograms: &ours.histograms, among: None };
        let their_times =
            Recorded { file: their_file, quantiles: their_times, histograms: &theirs.histograms, among: None };
        let latencies = joined(field, &our_times, &their_times)?;
        histograms.extend(Latencies::histograms([(field, &latencies)]));
        *of(ours) = latencies.quantiles();
    }
    ours.histograms = histograms;
    add_counts(ours, theirs);
    Ok(())
}

/// Every field stands here, so that a new one cannot be forgotten.
fn add_counts(ours: &mut StreamStats, theirs: StreamStats) {
    let StreamStats {
        requested,
        peak_active,
        dropped,
        formats,
        completed,
        completed_per_second: _,
        taken_as_complete,
        failed,
        truncated,
        disconnected,
        stopped_reading,
        stalled,
        without_token,
        without_done,
        first_token_late,
        failures,
        failure_answers,
        by_status,
        by_method,
        errors_by_type,
        errors_by_code,
        with_retry_after,
        retry_after_ms: _,
        latency_ms: _,
        latency_from_sent_ms: _,
        rejection_latency_ms: _,
        time_to_first_token_ms: _,
        time_to_first_token_from_sent_ms: _,
        inter_token_ms: _,
        time_per_token_ms: _,
        goodput,
        chunks,
        chunks_per_second: _,
        bytes,
        tokens,
        texts,
        // Only a sequence has steps, and `run` sends none.
        steps: _,
        histograms: _,
    } = theirs;
    // How many were open at once on both machines is in the timeline.
    ours.peak_active = ours.peak_active.max(peak_active);
    for (sum, more) in [
        (&mut ours.requested, requested),
        (&mut ours.dropped, dropped),
        (&mut ours.completed, completed),
        (&mut ours.taken_as_complete, taken_as_complete),
        (&mut ours.failed, failed),
        (&mut ours.truncated, truncated),
        (&mut ours.disconnected, disconnected),
        (&mut ours.stopped_reading, stopped_reading),
        (&mut ours.stalled, stalled),
        (&mut ours.without_token, without_token),
        (&mut ours.without_done, without_done),
        (&mut ours.first_token_late, first_token_late),
        (&mut ours.with_retry_after, with_retry_after),
        (&mut ours.chunks, chunks),
        (&mut ours.bytes, bytes),
        (&mut ours.tokens, tokens),
    ] {
        *sum = sum.saturating_add(more);
    }
    add_names(ours, [formats, failures, by_status, by_method, errors_by_type, errors_by_code, texts]);
    ours.goodput = match (ours.goodput.take(), goodput) {
        (Some(ours), Some(theirs)) => Some(met_by_both(ours, theirs)),
        (one, other) => one.or(other),
    };
    failure_answers.into_iter().for_each(|(cause, answer)| _ = ours.failure_answers.entry(cause).or_insert(answer));
}

/// Adds what is counted by name, in this order.
fn add_names(ours: &mut StreamStats, more: [BTreeMap<String, u64>; 7]) {
    let sums = [
        &mut ours.formats,
        &mut ours.failures,
        &mut ours.by_status,
        &mut ours.by_method,
        &mut ours.errors_by_type,
        &mut ours.errors_by_code,
        &mut ours.texts,
    ];
    sums.into_iter().zip(more).for_each(|(sums, more)| add_by_name(sums, more));
}

fn met_by_both(ours: RequestGoodput, theirs: RequestGoodput) -> RequestGoodput {
    let RequestGoodput { met, of, per_second, mut missed } = ours;
    add_by_name(&mut missed, theirs.missed);
    RequestGoodput { met: met.saturating_add(theirs.met), of: of.saturating_add(theirs.of), per_second, missed }
}

/// Adds counts by name.
pub(super) fn add_by_name(sums: &mut BTreeMap<String, u64>, more: BTreeMap<String, u64>) {
    for (name, count) in more {
        let sum = sums.entry(name).or_default();
        *sum = sum.saturating_add(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field with percentiles is not left as it was in the first run.
    #[test]
    fn every_latency_of_streams_is_joined() {
        let mut all = StreamStats::default();
        for (place, (_, of)) in LATENCIES.into_iter().enumerate() {
            of(&mut all).p99 = place as f64 + 1.0;
        }
        let fields = serde_json::to_value(all).unwrap();
        let with_percentiles = fields.as_object().unwrap().iter().filter(|(_, value)| value["p99"].is_number());
        let mut there: Vec<_> = with_percentiles.map(|(name, value)| (value["p99"].as_f64(), name.as_str())).collect();
        there.sort_by(|one, other| one.0.partial_cmp(&other.0).unwrap());
        assert_eq!(there.iter().map(|(_, name)| *name).collect::<Vec<_>>(), LATENCIES.map(|(name, _)| name));
    }
}
