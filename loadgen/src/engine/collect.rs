//! Builds the result of a lab from its measurements.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Options;
use super::cases::RunningCases;
use super::evidence::PhaseEvidence;
use super::phase_loads::RunTime;
use super::phase_record::PhaseRecord;
use super::running_arm::{ArmAtEnd, RunningArm};
use crate::environment::environment;
use crate::lab::{LOADED, Lab, Load, Phase, Profile};
use crate::measure::LagLog;
use crate::numbers::in_millis;
use crate::result::{ArmResult, Disturbance, ExpectedLoad, PhaseResult, RunResult};
use crate::verdict;

/// The result of a lab, verdict included.
pub(super) fn collect(
    lab: &Lab,
    profile: &Profile,
    options: &Options,
    arms: &[RunningArm],
    at_end: Vec<ArmAtEnd>,
    lag: &Arc<LagLog>,
    time: RunTime,
) -> RunResult {
    let runs = |phase: &Phase| options.runs(phase, arms.iter().map(|arm| arm.judged_as));
    let by_arm = arms.iter().zip(at_end).map(|(arm, at_end)| {
        let expected_in = |seen: &PhaseRecord| profile.expected_load(seen.phase, runs, arm.judged_as);
        (arm.judged_as.to_owned(), arm_result(arm, at_end, time, expected_in))
    });
    let parameters = parameters(lab, profile, options);
    let result = RunResult::new(&options.command, environment(), parameters, lag.generator());
    let mut result = RunResult { arms: by_arm.collect(), ..result };
    let judged_as: Vec<_> = arms.iter().map(|arm| arm.judged_as).collect();
    result.verdict = match judged_as[..] {
        [judged_as] if options.expect_fixed => verdict::of_repair(profile, judged_as, &result),
        _ => verdict::of_lab(profile, &judged_as, &result),
    };
    for arm in arms.iter().filter(|arm| arm.judged_as != arm.name) {
        restore_name(arm, &mut result);
    }
    result
}

/// Restores the name of an arm that was judged as another one.
fn restore_name(arm: &RunningArm, result: &mut RunResult) {
    if let Some(seen) = result.arms.remove(arm.judged_as) {
        result.arms.insert(arm.name.to_owned(), seen);
    }
    for claim in result.verdict.claims.iter_mut().filter(|claim| claim.arm == arm.judged_as) {
        claim.arm = arm.name.to_owned();
    }
    for why in &mut result.verdict.invalid_because {
        *why = why.replace(&format!("({})", arm.judged_as), &format!("({})", arm.name));
    }
}

fn parameters(lab: &Lab, profile: &Profile, options: &Options) -> BTreeMap<String, Value> {
    let sides: Vec<_> = options.sides.iter().map(|side| side.as_str()).collect();
    let load = |phase: &Phase| -> Vec<Value> {
        let load = |load: &Load| {
            let leave_after_ms = load.client.disconnects_after.map(|after| after.as_millis());
            json!({"name": load.name, "path": load.request.path, "requests": load.requests(),
                   "schedule": load.schedule.to_string(), "headers": load.request.headers, "leave_after_ms": leave_after_ms})
        };
        phase.loads.iter().map(load).collect()
    };
    let phase = |phase: &Phase| {
        json!({"name": phase.name, "streams": phase.streams().map(Load::requests).sum::<u32>(), "only": phase.only,
               "loads": load(phase), "ramp_ms": phase.ramp().as_millis(), "hold_ms": phase.hold.as_millis()})
    };
    BTreeMap::from([
        ("lab".into(), json!(lab.name)),
        ("fast".into(), json!(options.fast)),
        ("sides".into(), json!(sides)),
        ("expect_fixed".into(), json!(options.expect_fixed)),
        ("mistake".into(), json!(options.mistake.as_deref().unwrap_or(lab.name))),
        ("vendor".into(), json!(profile.vendor)),
        ("arms".into(), profile.arms.iter().map(|arm| json!(arm.name)).collect()),
        ("phases".into(), profile.phases.iter().map(phase).collect()),
        ("probes_per_second".into(), json!(profile.probe_rate)),
        ("probe_timeout_ms".into(), json!(profile.probe_timeout.as_millis())),
    ])
}

fn arm_result(
    arm: &RunningArm,
    at_end: ArmAtEnd,
    time: RunTime,
    expected_in: impl Fn(&PhaseRecord) -> Option<ExpectedLoad>,
) -> ArmResult {
    let phase = |seen| PhaseResult { expected: expected_in(seen), ..phase_result(arm, seen, time) };
    let phases = arm.seen.iter().map(phase).collect();
    let calls = arm.logs.shared.calls.stats(time.elapsed);
    ArmResult {
        side: Some(arm.side),
        program: arm.server.command_line(),
        streams: arm.logs.shared.streams.stats(time.elapsed),
        calls: (calls.requested > 0).then_some(calls),
        vendor: at_end.ledger,
        deployment: at_end.deployment,
        stop: arm.stop.result(time.elapsed),
        ..arm.measured().run(phases, LOADED)
    }
}

fn phase_result(arm: &RunningArm, seen: &PhaseRecord, time: RunTime) -> PhaseResult {
    let window = time.window(seen.from, seen.to);
    let evidence = seen.evidence.as_ref();
    PhaseResult {
        title: Some(seen.phase.title.clone()),
        closed_loop: arm.closed_loop.as_ref().map(|asking| asking.stats(seen.from, seen.to)),
        streams: seen.loads.streams(seen.phase, &window),
        vendor_peak_active: evidence.and_then(PhaseEvidence::vendor_peak_active),
        vendor: evidence.and_then(PhaseEvidence::vendor_stats),
        threads_peak: arm.server_samples.threads_peak(seen.begun, seen.to),
        process: evidence.and_then(|evidence| evidence.process(&arm.server_samples)),
        deployment: seen.deployment,
        ledger: evidence.and_then(PhaseEvidence::ledger),
        metrics: evidence.map(|evidence| evidence.metrics(&arm.metrics)).unwrap_or_default(),
        vendor_load: evidence
            .and_then(|evidence| evidence.vendor_load(&arm.vendor_samples, seen.from, seen.to, seen.tokens_received)),
        table: seen.cases.as_ref().map(RunningCases::table).unwrap_or_default(),
        calls: seen.loads.calls(seen.phase, &window),
        loads: seen.loads.each(&window),
        disturbance: Some(disturbance(arm, seen)),
        ..arm.measured().phase(&seen.phase.name, seen.from, seen.to)
    }
}

/// How busy the machine was since the start of the phase: a disturbed ramp shows in the figures too.
fn disturbance(arm: &RunningArm, seen: &PhaseRecord) -> Disturbance {
    let probes = arm.probes.iter().flat_map(|log| log.due_between(seen.begun, seen.to));
    Disturbance {
        probe_late_ms: in_millis(probes.map(|probe| probe.sent_after).max().unwrap_or_default()),
        vendor_answer_ms: in_millis(arm.vendor_samples.slowest_answer(seen.begun, seen.to)),
    }
}
