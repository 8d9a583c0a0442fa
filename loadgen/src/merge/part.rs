//! A run that is to be merged: of one machine, or of several that were merged before.

use super::MergeError;
use super::timeline::by_the_clock;
use crate::comparison::NamedRun;
use crate::lab::LOADED;
use crate::result::{ArmResult, Machine, PhaseResult, RunResult};

/// A run that is to be merged.
pub(super) struct Part {
    /// Its file.
    pub(super) file: String,
    /// When it started, or the first of its machines.
    pub(super) started_unix_ms: u64,
    /// Its result, without the target.
    pub(super) run: RunResult,
    /// The server under load. Its times are those of the run's start, the rows of its timeline on the clock's quarters of
    /// a second.
    pub(super) target: ArmResult,
}

impl Part {
    pub(super) fn new(NamedRun { name: file, result: mut run }: NamedRun) -> Result<Self, MergeError> {
        let Some(target) = run.target.take().filter(|_| run.command == "run") else {
            return Err(MergeError::NotARun { file, command: run.command });
        };
        let Some(started_unix_ms) = run.started_unix_ms else {
            return Err(MergeError::Older { file, what: "time of its start".to_owned() });
        };
        // It says how the file was made, which is left to each machine.
        let command_line = run.command_line.take();
        if !run.machines.is_empty() {
            return Ok(Part { file, started_unix_ms, run, target });
        }
        run.machines = vec![machine(&file, started_unix_ms, command_line, &run, &target)];
        let target = ArmResult {
            timeline: by_the_clock(target.timeline, started_unix_ms),
            phases: target.phases.into_iter().map(|phase| shifted(phase, 0.0)).collect(),
            // What one run counted of it includes the calls of the others.
            vendor: None,
            ..target
        };
        Ok(Part { file, started_unix_ms, run, target })
    }

    /// The same as part of a result that began `by_ms` earlier.
    pub(super) fn later(mut self, by_ms: u64) -> Self {
        let by_ms = by_ms as f64;
        self.target.timeline.iter_mut().for_each(|row| row.t_ms += by_ms);
        self.target.phases = self.target.phases.into_iter().map(|phase| shifted(phase, by_ms)).collect();
        self
    }
}

/// The phase, `by_ms` later. Rounded to microseconds, it is the same whether it is shifted once or twice.
fn shifted(phase: PhaseResult, by_ms: f64) -> PhaseResult {
    let shift = |at: f64| ((at + by_ms) * 1000.0).round() / 1000.0;
    PhaseResult { from_ms: shift(phase.from_ms), to_ms: shift(phase.to_ms), ..phase }
}

fn machine(
    file: &str,
    started_unix_ms: u64,
    command_line: Option<String>,
    run: &RunResult,
    target: &ArmResult,
) -> Machine {
    let mut warnings = run.verdict.warnings.clone();
    if target.vendor.is_some() {
        warnings.push("its vendor's ledger is left out: it counts the calls of all machines".to_owned());
    }
    Machine {
        name: file.to_owned(),
        started_unix_ms,
        loaded_ms: target.phase(LOADED).map(|loaded| (loaded.from_ms, loaded.to_ms)),
        environment: run.environment.clone(),
        command_line,
        requested: target.streams.requested,
        peak_active: target.streams.peak_active,
        schedule_lag_ms: run.generator.schedule_lag_ms,
        not_sent: run.generator.not_sent,
        result: run.verdict.result,
        invalid_because: run.verdict.invalid_because.clone(),
        warnings,
    }
}
