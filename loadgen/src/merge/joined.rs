//! Two runs, together. What depends on all of them (rates, percentiles beside the phases, the verdict) is left open.

use super::alike::SEED;
use super::latencies::{self, Recorded};
use super::part::Part;
use super::{MergeError, probes, streams, timeline};
use crate::measure::Latencies;
use crate::result::{ArmResult, Generator, PhaseResult, ProcessStats};

/// The field with the lag.
const LAG: &str = "schedule_lag_ms";

/// Both parts as one.
pub(super) fn joined(ours: Part, theirs: Part) -> Result<Part, MergeError> {
    let started_unix_ms = ours.started_unix_ms.min(theirs.started_unix_ms);
    let later = |part: Part| {
        let by_ms = part.started_unix_ms - started_unix_ms;
        part.later(by_ms)
    };
    let (mut ours, mut theirs) = (later(ours), later(theirs));
    let files = [ours.file.as_str(), theirs.file.as_str()];
    ours.run.generator = generator(&ours.run.generator, &theirs.run.generator, files)?;
    if ours.run.parameters.get(SEED) != theirs.run.parameters.get(SEED) {
        ours.run.parameters.insert(SEED.to_owned(), serde_json::Value::Null);
    }
    ours.run.machines.append(&mut theirs.run.machines);
    let target = target(ours.target, theirs.target, files)?;
    Ok(Part { started_unix_ms, target, ..ours })
}

fn generator(ours: &Generator, theirs: &Generator, files: [&str; 2]) -> Result<Generator, MergeError> {
    let lag = latencies::joined(LAG, &recorded(ours, files[0]), &recorded(theirs, files[1]))?;
    let histograms = Latencies::histograms([(LAG, &lag)]);
    let not_sent = ours.not_sent.saturating_add(theirs.not_sent);
    Ok(Generator { schedule_lag_ms: lag.quantiles(), histograms, not_sent })
}

fn recorded<'a>(generator: &'a Generator, file: &'a str) -> Recorded<'a> {
    let Generator { schedule_lag_ms, histograms, not_sent: _ } = generator;
    Recorded { file, quantiles: *schedule_lag_ms, histograms, among: None }
}

fn target(mut ours: ArmResult, theirs: ArmResult, files: [&str; 2]) -> Result<ArmResult, MergeError> {
    // Every field stands here, so that a new one cannot be forgotten.
    let ArmResult {
        program: _,
        streams,
        targets,
        phases,
        process,
        timeline,
        // They are made of the phases.
        probes: _,
        baseline: _,
        // `run` has none of them.
        side: _,
        calls: _,
        vendor: _,
        deployment: _,
        stop: _,
        sequence: _,
    } = theirs;
    streams::add(&mut ours.streams, streams, files)?;
    ours.timeline = timeline::joined(ours.timeline, timeline);
    ours.process = ours.process.into_iter().chain(process).reduce(larger);
    for theirs in targets {
        // The parameters name them, and are alike.
        let Some(ours) = ours.targets.iter_mut().find(|target| target.url == theirs.url) else {
            ours.targets.push(theirs);
            continue;
        };
        streams::add(&mut ours.streams, theirs.streams, files)?;
        probes::add(&mut ours.probes, theirs.probes, files)?;
    }
    for theirs in phases {
        match ours.phases.iter_mut().find(|phase| phase.name == theirs.name) {
            Some(phase) => add_phase(phase, theirs, files)?,
            None => ours.phases.push(theirs),
        }
    }
    // Stable, and by the name where two begin at once.
    ours.phases.sort_by(|one, other| one.from_ms.total_cmp(&other.from_ms).then_with(|| one.name.cmp(&other.name)));
    Ok(ours)
}

/// It is one server, however many look at it: the one that saw most saw best.
fn larger(ours: ProcessStats, theirs: ProcessStats) -> ProcessStats {
    ProcessStats {
        cpu_seconds: ours.cpu_seconds.max(theirs.cpu_seconds),
        rss_peak_bytes: ours.rss_peak_bytes.max(theirs.rss_peak_bytes),
        threads_peak: ours.threads_peak.max(theirs.threads_peak),
        fds_peak: ours.fds_peak.max(theirs.fds_peak),
    }
}

fn add_phase(ours: &mut PhaseResult, theirs: PhaseResult, files: [&str; 2]) -> Result<(), MergeError> {
    ours.from_ms = ours.from_ms.min(theirs.from_ms);
    ours.to_ms = ours.to_ms.max(theirs.to_ms);
    ours.cpu_cores = ours.cpu_cores.into_iter().chain(theirs.cpu_cores).reduce(f64::max);
    ours.threads_peak = ours.threads_peak.max(theirs.threads_peak);
    probes::add(&mut ours.probes, theirs.probes, files)
}
