//! The figures that are compared: of all of them less is better. Which differences are noise stands with each.

use crate::result::{ArmResult, ProbeStats, Quantiles, StreamStats, Unit};

/// A figure that is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What it is: `health-sync p99`.
    pub name: String,
    /// Its unit.
    pub unit: Unit,
    /// A difference up to this is noise, whatever its percentage.
    pub noise: f64,
}

/// Half of the values, and nine in ten, move by less on an idle machine.
const LATENCY_NOISE_MS: f64 = 5.0;
/// Of a few hundred values, this one is the second or third.
const P99_NOISE_MS: f64 = 10.0;
const CPU_NOISE_MICROS: f64 = 20.0;
const MEMORY_NOISE_MB: f64 = 16.0;
const THREADS_NOISE: f64 = 2.0;
/// A request that fails is never noise.
const FAILURE_NOISE: f64 = 0.0;

/// A figure of one run.
pub(super) type Measured = (Figure, f64);

/// All figures of an arm, in the order of output.
pub(super) fn measured(arm: &ArmResult) -> Vec<Measured> {
    let mut figures = Vec::new();
    for (name, stats) in arm.probes.iter().rev().filter(|(_, stats)| stats.sent > 0) {
        probe(&name.replace('_', "-"), stats, &mut figures);
    }
    for phase in &arm.phases {
        let Some(stats) = phase.closed_loop.as_ref().filter(|stats| stats.sent > 0) else { continue };
        let label = format!("one by one, {}", phase.title());
        times(&label, stats.latency_ms, &mut figures);
        figures.push(share(&format!("{label}: failed"), stats.failed, stats.sent));
    }
    if arm.streams.requested > 0 {
        streams(&arm.streams, &mut figures);
    }
    if let Some(calls) = arm.calls.as_ref().filter(|calls| calls.requested > 0) {
        times("calls", calls.latency_ms, &mut figures);
        figures.push(share("calls failed", calls.lost(), calls.requested));
    }
    if let Some(sequence) = &arm.sequence {
        let calls = sequence.calls.len() as u64;
        let took = sequence.calls.iter().map(|call| call.duration_ms).sum();
        figures.push((of("all calls together", Unit::Milliseconds, P99_NOISE_MS * calls as f64), took));
        figures.push(share("calls failed", calls - sequence.ok(), calls));
    }
    process(arm, &mut figures);
    figures
}

fn probe(name: &str, stats: &ProbeStats, figures: &mut Vec<Measured>) {
    if stats.timed() > 0 {
        times(name, stats.latency_ms, figures);
    }
    figures.push(share(&format!("{name} failed"), stats.failed, stats.sent));
    figures.push(share(&format!("{name} timed out"), stats.timed_out, stats.sent));
}

fn streams(stats: &StreamStats, figures: &mut Vec<Measured>) {
    if stats.chunks > 0 {
        times("first token", stats.time_to_first_token_ms, figures);
    }
    figures.push(share("streams lost", stats.lost(), stats.requested));
    if let Some(goodput) = &stats.goodput {
        figures.push(share("objectives for each request missed", goodput.of.saturating_sub(goodput.met), goodput.of));
    }
}

fn process(arm: &ArmResult, figures: &mut Vec<Measured>) {
    let Some(used) = &arm.process else { return };
    let chunks = chunks(arm);
    if chunks > 0 {
        let micros = used.cpu_seconds * 1e6 / chunks as f64;
        figures.push((of("CPU for each chunk", Unit::count("µs"), CPU_NOISE_MICROS), micros));
    }
    let megabytes = used.rss_peak_bytes as f64 / 1e6;
    figures.push((of("memory, peak", Unit::count("MB"), MEMORY_NOISE_MB), megabytes));
    if let Some(threads) = used.threads_peak {
        figures.push((of("threads, peak", Unit::THREADS, THREADS_NOISE), threads as f64));
    }
}

/// Three quantiles. The largest value is not among them: one busy moment of the machine decides it.
fn times(name: &str, times: Quantiles, figures: &mut Vec<Measured>) {
    for (quantile, value, noise) in
        [("p50", times.p50, LATENCY_NOISE_MS), ("p90", times.p90, LATENCY_NOISE_MS), ("p99", times.p99, P99_NOISE_MS)]
    {
        figures.push((of(&format!("{name} {quantile}"), Unit::Milliseconds, noise), value));
    }
}

/// A share in percent: runs may have sent different numbers.
fn share(name: &str, count: u64, of_all: u64) -> Measured {
    let percent = if of_all == 0 { 0.0 } else { 100.0 * count as f64 / of_all as f64 };
    (of(name, Unit::Percent, FAILURE_NOISE), percent)
}

fn of(name: &str, unit: Unit, noise: f64) -> Figure {
    Figure { name: name.to_owned(), unit, noise }
}

/// The tokens that clients received in the whole run.
#[must_use]
pub fn chunks(arm: &ArmResult) -> u64 {
    let of_phases: Vec<_> = arm.phases.iter().filter_map(|phase| phase.streams.as_ref()).collect();
    if of_phases.is_empty() { arm.streams.chunks } else { of_phases.iter().map(|streams| streams.chunks).sum() }
}
