//! Runs the phases of a lab.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{join_all, try_join_all};
use tokio::time::sleep;

use super::collect::collect;
use super::evidence::PhaseEvidence;
use super::phase_loads::{PhaseLoads, RunTime};
use super::phase_record::PhaseRecord;
use super::ticks::{Tick, Ticks};
use super::vendor_samples;
use super::{LabError, Options, RunningArm};
use crate::descriptors::{needed, raise_descriptor_limit};
use crate::http::bearer;
use crate::lab::{ArmRun, Lab, Phase, Profile, select_arms};
use crate::measure::{LagLog, ProbeKind, ProbePlan, Prober, Sampler};
use crate::result::RunResult;

/// A lab that has been run.
pub struct LabRun {
    /// The result, including the verdict.
    pub result: RunResult,
    /// The arms, still running. Dropped, they are stopped.
    pub arms: Vec<RunningArm>,
}

/// Progress of a lab while it runs.
pub trait Progress {
    /// The arms have started.
    fn started(&mut self, arms: &[RunningArm]);
    /// A second has passed in `phase`; `now` is the time since the start.
    fn second(&mut self, phase: &Phase, now: Duration, arms: &[RunningArm]);
    /// A quarter of a second has passed in `phase`, or after it while the last answers are awaited.
    fn tick(&mut self, phase: &Phase, now: Duration, arms: &[RunningArm]);
}

/// What a run knows about time.
struct Clock {
    origin: Instant,
    ticks: Ticks,
}

/// Runs `lab` with the numbers of `profile`: all arms at once, phase after phase.
///
/// # Errors
/// [`LabError`] if it could not be completed. All programs are stopped then, and also if this future is
/// dropped.
pub async fn run(
    lab: &'static Lab,
    profile: &'static Profile,
    options: &Options,
    progress: &mut impl Progress,
) -> Result<LabRun, LabError> {
    let arm_runs = select_arms(profile, &options.sides, options.expect_fixed);
    check_descriptors(profile, &arm_runs)?;
    let lag = Arc::new(LagLog::default());
    let mut arms =
        try_join_all(arm_runs.iter().map(|arm_run| RunningArm::start(lab, profile, *arm_run, options, &lag))).await?;

    let origin = Instant::now();
    let targets = arms.iter().map(|arm| (arm.endpoint.clone(), probe_plan(profile))).collect();
    let (prober, probe_logs) = Prober::start(origin, targets, lag.clone());
    arms.iter_mut().zip(probe_logs).for_each(|(arm, logs)| arm.probes = logs);
    if let Some(probe) = profile.closed_loop {
        arms.iter_mut().for_each(|arm| arm.start_closed_loop(origin, probe, profile.probe_timeout));
    }
    let sampler = Sampler::start(origin, arms.iter().map(|arm| arm.server_samples.clone()).collect());
    let vendors = arms.iter().filter_map(|arm| Some((arm.vendor_endpoint()?, arm.vendor_samples.clone())));
    let _watch = vendor_samples::watch(origin, vendors.collect());

    progress.started(&arms);
    let phases = options.phases(profile, &arm_runs);
    let mut clock = Clock { origin, ticks: Ticks::since(origin) };
    for phase in &phases {
        if let Err(error) = run_phase(phase, &mut clock, &mut arms, progress).await {
            return Err(cause_of(error, &mut arms).await);
        }
    }
    let loads = || arms.iter().flat_map(|arm| &arm.seen).map(|seen| &seen.loads);
    let last_answers = async {
        join_all(loads().map(|loads| loads.wait(profile.drain))).await;
        let loaded_for = origin.elapsed();
        join_all(loads().map(PhaseLoads::disconnect)).await;
        prober.finish().await;
        loaded_for
    };
    let tick = |tick: Tick| phases.last().into_iter().for_each(|phase| progress.tick(phase, tick.at(), &arms));
    let loaded_for = clock.ticks.during(last_answers, tick).await;
    sampler.finish();
    let at_end = try_join_all(arms.iter().map(|arm| arm.at_end(origin))).await?;
    let result = collect(lab, profile, options, &arms, at_end, &lag, RunTime { origin, elapsed: loaded_for });
    arms.iter_mut().for_each(|arm| arm.closed_loop = None);
    Ok(LabRun { result, arms })
}

/// A ledger that cannot be read, or an action that failed, is often that of a program that has just exited: its last
/// output says more.
async fn cause_of(error: LabError, arms: &mut [RunningArm]) -> LabError {
    const POLLS: u32 = 20;
    const POLL: Duration = Duration::from_millis(50);
    if matches!(error, LabError::Ledger(_) | LabError::Action { .. }) {
        for _ in 0..POLLS {
            if let Some(why) = arms.iter_mut().find_map(RunningArm::ended) {
                return LabError::Ended(why);
            }
            sleep(POLL).await;
        }
    }
    error
}

/// Adds the streams of `phase` and measures it.
async fn run_phase(
    phase: &'static Phase,
    clock: &mut Clock,
    arms: &mut [RunningArm],
    progress: &mut impl Progress,
) -> Result<(), LabError> {
    let origin = clock.origin;
    let begun = try_join_all(arms.iter().map(|arm| arm.evidence(origin))).await?;
    let taking_part = arms.iter_mut().filter(|arm| phase.is_for(arm.judged_as));
    try_join_all(taking_part.map(|arm| arm.begin(phase, origin))).await?;
    pass(phase.ramp() + phase.settle, phase, clock, arms, progress).await?;
    arms.iter_mut().filter(|arm| phase.is_for(arm.judged_as)).for_each(RunningArm::start_cases);
    let from = origin.elapsed();
    let before = try_join_all(arms.iter().map(RunningArm::vendor_counts)).await?;
    hold(phase, from + phase.hold, clock, arms, progress).await?;
    try_join_all(arms.iter_mut().map(|arm| arm.actions.finish())).await?;
    let to = origin.elapsed();
    records_of(phase, arms).for_each(|seen| seen.loads.stop());
    let received: Vec<_> = arms.iter().map(|arm| arm.logs.tokens()).collect();
    let ended = try_join_all(arms.iter().map(|arm| arm.evidence(origin))).await?;
    wait_for_due_probes(to, origin, arms).await;
    let evidence = begun.into_iter().zip(before).zip(ended);
    for ((arm, ((begun, before), ended)), received) in arms.iter_mut().zip(evidence).zip(received) {
        if let Some(seen) = arm.seen.last_mut().filter(|seen| std::ptr::eq(seen.phase, phase)) {
            let balancer = [begun.balancer.as_ref(), ended.balancer.as_ref()];
            seen.deployment = arm.server.phase_stats(origin, [begun.at, ended.at], balancer);
            seen.evidence = Some(PhaseEvidence { begun, before, ended });
            (seen.from, seen.to, seen.tokens_received) = (from, to, received);
        }
    }
    Ok(())
}

/// The records of `phase`, of the arms that take part in it.
fn records_of<'a>(phase: &Phase, arms: &'a [RunningArm]) -> impl Iterator<Item = &'a PhaseRecord> {
    arms.iter().filter_map(|arm| arm.seen.last()).filter(move |seen| std::ptr::eq(seen.phase, phase))
}

/// Waits until the end of the measurement, or until the phase is done if it ends then.
async fn hold(
    phase: &'static Phase,
    end: Duration,
    clock: &mut Clock,
    arms: &mut [RunningArm],
    progress: &mut impl Progress,
) -> Result<(), LabError> {
    const POLL: Duration = Duration::from_millis(20);
    let most = if phase.until_done { POLL } else { phase.hold };
    loop {
        let left = end.saturating_sub(clock.origin.elapsed());
        if left.is_zero() || (phase.until_done && records_of(phase, arms).all(PhaseRecord::is_done)) {
            return Ok(());
        }
        pass(left.min(most), phase, clock, arms, progress).await?;
    }
}

/// Waits briefly for the probes that were due before `to`, so that the next phase does not affect the figures of
/// this one.
async fn wait_for_due_probes(to: Duration, origin: Instant, arms: &[RunningArm]) {
    const WAIT_MAX: Duration = Duration::from_millis(250);
    const POLL: Duration = Duration::from_millis(10);
    let all_in = |now: Duration| {
        let waits = arms.iter().flat_map(|arm| &arm.probes).filter_map(|log| log.longest_wait(now));
        waits.max().is_none_or(|longest| now.saturating_sub(longest) >= to)
    };
    while origin.elapsed() < to + WAIT_MAX && !all_in(origin.elapsed()) {
        sleep(POLL).await;
    }
}

/// Waits for `duration`, reports every tick and every whole second, and checks each second that the programs are running.
async fn pass(
    duration: Duration,
    phase: &'static Phase,
    clock: &mut Clock,
    arms: &mut [RunningArm],
    progress: &mut impl Progress,
) -> Result<(), LabError> {
    let report = |tick: Tick| {
        progress.tick(phase, tick.at(), arms);
        let Some(second) = tick.second() else { return Ok(()) };
        match arms.iter_mut().find_map(RunningArm::trouble) {
            Some(error) => Err(error),
            None => {
                progress.second(phase, second, arms);
                Ok(())
            }
        }
    };
    clock.ticks.wait(duration, report).await
}

fn probe_plan(profile: &Profile) -> ProbePlan {
    let kinds = profile.probes.iter().map(|probe| ProbeKind {
        name: probe.name.to_owned(),
        path: probe.path.to_owned(),
        json_field: probe.json_field.map(str::to_owned),
        headers: probe.key.map(bearer).into_iter().collect(),
        takes_rejections: false,
    });
    ProbePlan { kinds: kinds.collect(), rate: profile.probe_rate, timeout: profile.probe_timeout }
}

fn check_descriptors(profile: &Profile, arm_runs: &[ArmRun]) -> Result<(), LabError> {
    let limit = raise_descriptor_limit();
    let opened = |arm_run: &ArmRun| {
        let phases = profile.phases.iter().filter(|phase| phase.is_for(arm_run.judged_as));
        phases.map(Phase::in_flight_max).sum::<u64>()
    };
    let probes = probe_plan(profile).waiting_max();
    let needed = needed(&arm_runs.iter().map(opened).collect::<Vec<_>>(), probes);
    if limit < needed { Err(LabError::Descriptors { needed, limit }) } else { Ok(()) }
}
