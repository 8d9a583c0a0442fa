//! What depends on all runs: rates, what stands beside the phases, the machine, the verdict.

use std::collections::BTreeSet;

use serde_json::Value;

use super::part::Part;
use super::{MergeError, probes};
use crate::lab::{BASELINE, LOADED};
use crate::numbers::millis;
use crate::result::{ArmResult, Baseline, Environment, Machine, Outcome, PhaseResult, RunResult, Together, Verdict};
use crate::verdict::{self, Objective};

/// Share of the longest load during which all must have been on.
const TOGETHER_SHARE_MIN: f64 = 0.8;

/// The result of all parts.
pub(super) fn whole(part: Part) -> Result<RunResult, MergeError> {
    let Part { file, started_unix_ms, run, target } = part;
    let mut result = RunResult {
        started_unix_ms: Some(started_unix_ms),
        environment: environment(&run.machines),
        target: Some(server(target, &run, &file)?),
        ..run
    };
    result.verdict = judged(&result, &file)?;
    Ok(result)
}

fn server(mut target: ArmResult, run: &RunResult, file: &str) -> Result<ArmResult, MergeError> {
    let probes_of = |name: &str| probes::of_server(&PhaseResult::probes_of(&target.phases, name), file);
    (target.probes, target.baseline) = (probes_of(LOADED)?, Baseline::new(probes_of(BASELINE)?));
    let (from, to) = counted(&target.phases, run);
    let during = target.timeline.iter().filter(|row| (from..to).contains(&row.t_ms));
    let seconds = (to - from) / 1000.0;
    let streams = &mut target.streams;
    streams.peak_active = during.map(|row| row.streams_active).max().unwrap_or(0).max(streams.peak_active);
    streams.set_rates(seconds);
    target.targets.iter_mut().for_each(|target| target.streams.set_rates(seconds));
    Ok(target)
}

/// From when to when requests were counted, on any machine: from the start of the load, or from the end of its warm-up.
fn counted(phases: &[PhaseResult], run: &RunResult) -> (f64, f64) {
    let warm_up = run.parameters.get("warmup_ms").and_then(Value::as_f64).unwrap_or(0.0);
    let is_counted = |phase: &&PhaseResult| if warm_up > 0.0 { phase.name == LOADED } else { phase.name != BASELINE };
    let counted = || phases.iter().filter(is_counted);
    let from = counted().map(|phase| phase.from_ms).reduce(f64::min).unwrap_or(0.0);
    (from, counted().map(|phase| phase.to_ms).reduce(f64::max).unwrap_or(from))
}

/// All machines together.
fn environment(machines: &[Machine]) -> Environment {
    let all = || machines.iter().map(|machine| &machine.environment);
    let systems: BTreeSet<_> = all().map(|environment| environment.os.as_str()).collect();
    Environment {
        cores: all().fold(0, |sum, environment| sum.saturating_add(environment.cores)),
        memory_bytes: all().fold(0, |sum, environment| sum.saturating_add(environment.memory_bytes)),
        os: systems.into_iter().collect::<Vec<_>>().join(", "),
    }
}

/// The objectives, judged anew. One run that is invalid makes the whole invalid: what it sent is in all figures.
fn judged(result: &RunResult, file: &str) -> Result<Verdict, MergeError> {
    let of_each = |of: fn(&Machine) -> &[String]| -> Vec<String> {
        let named = |machine: &Machine| -> Vec<String> {
            of(machine).iter().map(|line| format!("{}: {line}", machine.name)).collect()
        };
        result.machines.iter().flat_map(named).collect()
    };
    let mut invalid_because = of_each(|machine| &machine.invalid_because);
    let without_reason = |machine: &&Machine| machine.result == Outcome::Invalid && machine.invalid_because.is_empty();
    let without_reason = result.machines.iter().filter(without_reason);
    invalid_because.extend(without_reason.map(|machine| format!("{}: it is invalid", machine.name)));
    invalid_because.extend(not_together(&result.machines));
    let verdict = verdict::of_run(&objectives(result, file)?, result, invalid_because);
    Ok(Verdict { warnings: of_each(|machine| &machine.warnings), ..verdict })
}

fn not_together(machines: &[Machine]) -> Option<String> {
    let Together { loaded_ms, longest_ms, .. } = Together::of(machines)?;
    (loaded_ms < TOGETHER_SHARE_MIN * longest_ms).then(|| {
        format!(
            "the pressure was missing: the loads of all machines were on at once for {} of {}; start them at the same \
             time, and compare the clocks of the machines",
            millis(loaded_ms),
            millis(longest_ms)
        )
    })
}

fn objectives(result: &RunResult, file: &str) -> Result<Vec<Objective>, MergeError> {
    let texts = result.parameters.get("objectives").and_then(Value::as_array).into_iter().flatten();
    let parsed = texts.map(|text| text.as_str().unwrap_or_default().parse::<Objective>());
    parsed.collect::<Result<_, _>>().map_err(|why| {
        let (file, why) = (file.to_owned(), why.to_string());
        MergeError::Objective { file, why }
    })
}
