//! The probes of two runs, together.

use std::collections::BTreeMap;

use super::MergeError;
use super::latencies::{Recorded, joined};
use super::streams::add_by_name;
use crate::measure::Latencies;
use crate::result::{Histograms, ProbeStats};

/// The fields with latencies.
const FROM_DUE: &str = "latency_ms";
const FROM_SENT: &str = "latency_from_sent_ms";

/// Adds the probes of `theirs` to those of `ours` with the same names; `files` are the names of their files.
pub(super) fn add(
    ours: &mut BTreeMap<String, ProbeStats>,
    theirs: BTreeMap<String, ProbeStats>,
    files: [&str; 2],
) -> Result<(), MergeError> {
    for (name, theirs) in theirs {
        let both = match ours.remove(&name) {
            Some(ours) => both(ours, theirs, files)?,
            None => theirs,
        };
        ours.insert(name, both);
    }
    Ok(())
}

/// Every field stands here, so that a new one cannot be forgotten.
fn both(ours: ProbeStats, theirs: ProbeStats, files: [&str; 2]) -> Result<ProbeStats, MergeError> {
    let sent = ours.sent.saturating_add(theirs.sent);
    let (from_due, from_sent) = (times(FROM_DUE, &ours, &theirs, files)?, times(FROM_SENT, &ours, &theirs, files)?);
    let histograms = Latencies::histograms([(FROM_DUE, &from_due), (FROM_SENT, &from_sent)]);
    let ProbeStats { mut failures, mut field_values, .. } = ours;
    add_by_name(&mut failures, theirs.failures);
    add_by_name(&mut field_values, theirs.field_values);
    Ok(ProbeStats {
        sent,
        ok: ours.ok.saturating_add(theirs.ok),
        failed: ours.failed.saturating_add(theirs.failed),
        timed_out: ours.timed_out.saturating_add(theirs.timed_out),
        not_sent: ours.not_sent.saturating_add(theirs.not_sent),
        failures,
        field_values,
        latency_ms: from_due.quantiles_among(sent),
        latency_from_sent_ms: from_sent.quantiles_among(sent),
        // That of the whole is made at the end.
        distribution: Vec::new(),
        histograms,
    })
}

fn times(field: &str, ours: &ProbeStats, theirs: &ProbeStats, files: [&str; 2]) -> Result<Latencies, MergeError> {
    joined(field, &recorded(field, ours, files[0]), &recorded(field, theirs, files[1]))
}

fn recorded<'a>(field: &str, stats: &'a ProbeStats, file: &'a str) -> Recorded<'a> {
    let quantiles = if field == FROM_DUE { stats.latency_ms } else { stats.latency_from_sent_ms };
    Recorded { file, quantiles, histograms: &stats.histograms, among: Some(stats.sent) }
}

/// What stands beside the phases: the same figures without the histograms, with the slower half of the distribution.
pub(super) fn of_server(
    probes: &BTreeMap<String, ProbeStats>,
    file: &str,
) -> Result<BTreeMap<String, ProbeStats>, MergeError> {
    let shown = |(name, stats): (&String, &ProbeStats)| {
        let all = recorded(FROM_DUE, stats, file).read(FROM_DUE)?;
        let distribution = all.slower_half_among(stats.sent);
        let shown = ProbeStats { distribution, histograms: Histograms::new(), ..stats.clone() };
        Ok((name.clone(), shown))
    };
    probes.iter().map(shown).collect()
}
