use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::time::sleep;

use super::collect::collect;
use super::{Arm, Lab, Phase, Profile};
use crate::http::Endpoint;
use crate::measure::{LagLog, ProbeKind, ProbeLog, ProbePlan, Prober, Sampler, StreamLog, Watched};
use crate::result::{ArmName, RunResult};
use crate::stand::{Program, START_TIMEOUT, StartError, raise_descriptor_limit};
use crate::traffic::{Crowd, StreamPlan};
use crate::vendor;

/// How to run a lab.
#[derive(Debug, Clone)]
pub struct Options {
    /// The arms to run.
    pub sides: Vec<ArmName>,
    /// Where the programs are.
    pub program_dir: PathBuf,
    /// The command that asked for it, for the result.
    pub command: String,
    /// Whether to run the short profile.
    pub fast: bool,
}

/// Why a lab has no result.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A program does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A program ended while it was needed.
    #[error("{0}")]
    Ended(String),
    /// The system does not allow enough open descriptors.
    #[error("this needs {needed} open descriptors a process, the limit is {limit}: raise it (`ulimit -n {needed}`)")]
    Descriptors {
        /// How many.
        needed: u64,
        /// How many there are.
        limit: u64,
    },
    /// The vendor's ledger cannot be read.
    #[error("the vendor's ledger cannot be read: {0}")]
    Ledger(#[from] vendor::LedgerError),
}

/// What a lab tells while it runs.
pub trait Progress {
    /// The arms are up.
    fn started(&mut self, lab: &Lab, sides: &[RunningArm]);
    /// A second has passed in `phase`, `now` since the start.
    fn second(&mut self, phase: &Phase, now: Duration, sides: &[RunningArm]);
}

/// One arm while it runs. Dropped, its programs are killed.
pub struct RunningArm {
    /// Its side.
    pub name: ArmName,
    /// The streams that all arms get.
    pub shared: Arc<StreamLog>,
    /// The streams that it gets alone.
    pub alone: Arc<StreamLog>,
    /// Its process and streams, sampled.
    pub watched: Arc<Watched>,
    /// Its probes, by kind.
    pub probes: Vec<Arc<ProbeLog>>,
    pub(super) server: Program,
    pub(super) seen: Vec<PhaseSeen>,
    vendor: Program,
    endpoint: Endpoint,
    crowd: Crowd,
    crowd_alone: Crowd,
}

impl RunningArm {
    fn vendor_endpoint(&self) -> Endpoint {
        Endpoint::at(self.vendor.addr())
    }
}

/// When an arm's phase was measured, and what the vendor had seen by its end.
pub(super) struct PhaseSeen {
    pub(super) phase: &'static Phase,
    pub(super) from: Duration,
    pub(super) to: Duration,
    pub(super) vendor_peak_active: u64,
}

/// Runs `lab`: all arms at once, phase after phase.
///
/// # Errors
/// [`LabError`] when it could not be run to its end. All programs are stopped in either case, as
/// they are when this future is dropped.
pub async fn run(lab: &'static Lab, options: &Options, progress: &mut impl Progress) -> Result<RunResult, LabError> {
    let profile = lab.profile(options.fast);
    check_descriptors(profile, &options.sides)?;
    let lag = Arc::new(LagLog::default());
    let mut arms = Vec::new();
    for arm in profile.arms.iter().filter(|arm| options.sides.contains(&arm.name)) {
        arms.push(start_arm(profile, arm, options, &lag).await?);
    }
    let origin = Instant::now();
    let targets = arms.iter().map(|arm| (arm.endpoint.clone(), probe_plan(profile))).collect();
    let (prober, probe_logs) = Prober::start(origin, targets, lag.clone());
    arms.iter_mut().zip(probe_logs).for_each(|(arm, logs)| arm.probes = logs);
    let sampler = Sampler::start(origin, arms.iter().map(|arm| arm.watched.clone()).collect());

    progress.started(lab, &arms);
    for phase in profile.phases.iter().filter(|phase| phase.only.is_none_or(|only| options.sides.contains(&only))) {
        drive(phase, origin, &mut arms, progress).await?;
    }
    let wait = arms.iter_mut().flat_map(|arm| [&mut arm.crowd, &mut arm.crowd_alone]);
    join_all(wait.map(|crowd| crowd.wait(profile.patience))).await;
    let loaded_for = origin.elapsed();
    for arm in &mut arms {
        arm.crowd.leave().await;
        arm.crowd_alone.leave().await;
    }
    prober.finish().await;
    sampler.finish();
    let mut finished = Vec::new();
    for arm in arms {
        let ledger = vendor::ledger(&arm.vendor_endpoint()).await?;
        finished.push((arm, ledger));
    }
    Ok(collect(lab, options, &finished, &lag, loaded_for))
}

/// Adds the streams of `phase` and measures while it holds.
async fn drive(
    phase: &'static Phase,
    origin: Instant,
    arms: &mut [RunningArm],
    progress: &mut impl Progress,
) -> Result<(), LabError> {
    for arm in arms.iter_mut().filter(|arm| phase.only == Some(arm.name)) {
        arm.crowd_alone.open(phase.streams, phase.ramp);
    }
    for arm in arms.iter_mut().filter(|_| phase.only.is_none()) {
        arm.crowd.open(phase.streams, phase.ramp);
    }
    pass(phase.ramp, phase, origin, arms, progress).await?;
    let from = origin.elapsed();
    pass(phase.hold, phase, origin, arms, progress).await?;
    let to = origin.elapsed();
    for arm in arms.iter_mut().filter(|arm| phase.only.is_none_or(|only| only == arm.name)) {
        let ledger = vendor::ledger(&arm.vendor_endpoint()).await?;
        arm.seen.push(PhaseSeen { phase, from, to, vendor_peak_active: ledger.peak_active });
    }
    Ok(())
}

/// Lets `duration` pass, tells of every whole second, and looks whether the programs are alive.
async fn pass(
    duration: Duration,
    phase: &'static Phase,
    origin: Instant,
    arms: &mut [RunningArm],
    progress: &mut impl Progress,
) -> Result<(), LabError> {
    let end = origin.elapsed() + duration;
    loop {
        let now = origin.elapsed();
        let next_second = Duration::from_secs(now.as_secs() + 1);
        if next_second > end {
            sleep(end.saturating_sub(now)).await;
            return Ok(());
        }
        sleep(next_second - now).await;
        for arm in arms.iter_mut() {
            if let Some(why) = arm.server.ended().or_else(|| arm.vendor.ended()) {
                return Err(LabError::Ended(why));
            }
        }
        progress.second(phase, next_second, arms);
    }
}

async fn start_arm(
    profile: &'static Profile,
    arm: &'static Arm,
    options: &Options,
    lag: &Arc<LagLog>,
) -> Result<RunningArm, LabError> {
    let owned = |args: &[&str]| args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>();
    let dir = &options.program_dir;
    let vendor = Program::start(dir, "mock-llm", &owned(profile.vendor_args), START_TIMEOUT).await?;
    let mut args = owned(arm.args);
    args.extend(["--upstream".to_owned(), format!("http://{}", vendor.addr())]);
    let server = Program::start(dir, arm.program, &args, START_TIMEOUT).await?;

    let endpoint = Endpoint::at(server.addr());
    let (shared, alone) = (Arc::new(StreamLog::default()), Arc::new(StreamLog::default()));
    let logs = vec![shared.clone(), alone.clone()];
    let crowd = |log, tokens| Crowd::new(stream_plan(endpoint.clone(), tokens), log, lag.clone(), 1);
    let own_phase = profile.phases.iter().find(|phase| phase.only == Some(arm.name));
    Ok(RunningArm {
        name: arm.name,
        crowd: crowd(shared.clone(), None),
        crowd_alone: crowd(alone.clone(), own_phase.and_then(|phase| phase.tokens)),
        shared,
        alone,
        watched: Arc::new(Watched::new(Some(server.pid()), logs)),
        probes: Vec::new(),
        seen: Vec::new(),
        server,
        vendor,
        endpoint,
    })
}

fn stream_plan(endpoint: Endpoint, tokens: Option<u32>) -> StreamPlan {
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.extend(tokens.map(|tokens| ("x-mock-tokens".to_owned(), tokens.to_string())));
    StreamPlan {
        endpoint,
        method: "POST".into(),
        path: "/chat/stream".into(),
        headers,
        body: StreamPlan::BODY.into(),
        // Longer than any lab: a stream that hangs is seen hanging, not cut by the instrument.
        timeout: Duration::from_secs(120),
    }
}

fn probe_plan(profile: &Profile) -> ProbePlan {
    ProbePlan { kinds: ProbeKind::defaults(), rate: profile.probe_rate, timeout: profile.probe_timeout }
}

/// A server holds two descriptors a stream, one for each side.
fn check_descriptors(profile: &Profile, sides: &[ArmName]) -> Result<(), LabError> {
    const OTHERS: u64 = 200;
    let limit = raise_descriptor_limit();
    let opened = |arm: ArmName| {
        let phases = profile.phases.iter().filter(move |phase| phase.only.is_none_or(|only| only == arm));
        phases.map(|phase| u64::from(phase.streams)).sum::<u64>()
    };
    let server = sides.iter().map(|arm| 2 * opened(*arm)).max().unwrap_or(0);
    let generator = sides.iter().map(|arm| opened(*arm)).sum::<u64>();
    let needed = server.max(generator) + OTHERS;
    if limit < needed { Err(LabError::Descriptors { needed, limit }) } else { Ok(()) }
}
