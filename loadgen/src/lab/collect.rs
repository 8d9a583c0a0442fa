use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use wire::ledger::Ledger;

use super::engine::{Options, PhaseSeen, RunningArm};
use super::{BASELINE, LOADED, Lab};
use crate::environment::environment;
use crate::measure::{LagLog, ProbeLog, timeline};
use crate::result::{
    ArmResult, Baseline, Generator, Outcome, PhaseResult, ProbeStats, RunResult, SCHEMA_VERSION, Verdict,
};
use crate::verdict;

/// The result of a lab, verdict included.
pub(super) fn collect(
    lab: &Lab,
    options: &Options,
    arms: &[(RunningArm, Ledger)],
    lag: &Arc<LagLog>,
    elapsed: Duration,
) -> RunResult {
    let arms = arms.iter().map(|(arm, ledger)| (arm.name, arm_result(arm, ledger, elapsed))).collect();
    let mut result = RunResult {
        schema_version: SCHEMA_VERSION,
        command: options.command.clone(),
        environment: environment(),
        parameters: parameters(lab, options),
        arms,
        target: None,
        generator: Generator { schedule_lag_ms: lag.latencies().quantiles() },
        verdict: Verdict { result: Outcome::Invalid, claims: Vec::new(), invalid_because: Vec::new() },
    };
    result.verdict = verdict::of_lab(lab.profile(options.fast).claims, &options.sides, &result);
    result
}

fn parameters(lab: &Lab, options: &Options) -> BTreeMap<String, Value> {
    let sides: Vec<_> = options.sides.iter().map(|side| side.as_str()).collect();
    let profile = lab.profile(options.fast);
    let phases: Vec<_> = profile
        .phases
        .iter()
        .map(|phase| json!({"name": phase.name, "streams": phase.streams, "only": phase.only, "tokens": phase.tokens}))
        .collect();
    BTreeMap::from([
        ("lab".into(), json!(lab.name)),
        ("fast".into(), json!(options.fast)),
        ("sides".into(), json!(sides)),
        ("vendor".into(), json!(profile.vendor_args)),
        ("phases".into(), json!(phases)),
        ("probes_per_second".into(), json!(profile.probe_rate)),
        ("probe_timeout_ms".into(), json!(profile.probe_timeout.as_millis())),
    ])
}

fn arm_result(arm: &RunningArm, ledger: &Ledger, elapsed: Duration) -> ArmResult {
    let phases: Vec<_> = arm.seen.iter().map(|seen| phase_result(arm, seen, elapsed)).collect();
    let probes_of = |name: &str| {
        let phase = phases.iter().find(|phase| phase.name == name);
        phase.map(|phase| phase.probes.clone()).unwrap_or_default()
    };
    ArmResult {
        program: arm.server.command_line(),
        streams: arm.shared.stats(elapsed),
        probes: probes_of(LOADED),
        baseline: Baseline::new(probes_of(BASELINE)),
        vendor: Some(ledger.clone()),
        process: arm.watched.process_stats(),
        timeline: timeline(&arm.watched, &arm.probes),
        phases,
    }
}

fn phase_result(arm: &RunningArm, seen: &PhaseSeen, elapsed: Duration) -> PhaseResult {
    PhaseResult {
        name: seen.phase.name.to_owned(),
        from_ms: seen.from.as_secs_f64() * 1000.0,
        to_ms: seen.to.as_secs_f64() * 1000.0,
        probes: probe_stats(&arm.probes, seen.from, seen.to),
        streams: seen.phase.only.map(|_| arm.alone.stats(elapsed)),
        vendor_peak_active: Some(seen.vendor_peak_active),
        cpu_cores: arm.watched.cpu_cores(seen.from, seen.to),
    }
}

/// The figures of each kind of probe that was due in `[from, to)`.
pub(crate) fn probe_stats(probes: &[Arc<ProbeLog>], from: Duration, to: Duration) -> BTreeMap<String, ProbeStats> {
    probes.iter().map(|log| (log.kind.name.clone(), log.stats(from, to))).collect()
}
