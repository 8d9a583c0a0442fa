//! Finds out what limits a server: how many streams it holds until it is no longer as when idle, and what kind of limit
//! that is. It needs a path that streams and a cheap one, and knows nothing else of the server.

mod advice;
mod before;
mod corner;
mod error;
mod evidence;
mod finding;
mod held;
mod look;
mod meter;
mod news;
mod options;
mod owner;
pub mod platform;
mod probes;
mod process;
mod ramp;
mod recording;
mod recovery;
mod rule;
mod seen;
mod silences;
mod state;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout_at};

use crate::environment::environment;
use crate::http::Endpoint;
use crate::measure::{LagLog, ProbeKind, with_descendants};
use crate::result::{ArmResult, Diagnosis, Generator};
use corner::Around;
pub use error::DiagnoseError;
use meter::Meter;
pub use news::DiagnoseNews;
pub use options::DiagnoseOptions;
use probes::Probes;
use process::ServerProcess;
use ramp::Ramp;
use recording::Recording;
use seen::{ASYNC_HEALTH, CutShort, HEALTH, KEPT_CONNECTION, NO_SUCH_PATH, Seen, UNKNOWN_PATH};

/// Time after which a probe counts as timed out: far over a late answer, and short enough that the last ones are known
/// soon.
const PROBE_TIMEOUT: Duration = Duration::from_secs(4);
/// How long the idle server is probed.
const IDLE: Duration = Duration::from_millis(1_500);
/// The share of the budget after which neither the ramp nor the search for the corner begins anything more.
const NOTHING_NEW_AFTER: f64 = 0.85;
/// The share of the budget after which the ramp is ended. The rest is for the server to recover in.
const RAMP_ENDS_AFTER: f64 = 0.95;

/// What was found, and what was measured meanwhile.
#[derive(Debug)]
pub struct Diagnosed {
    /// What limits the server.
    pub diagnosis: Diagnosis,
    /// The figures of the server, as those of any run.
    pub target: ArmResult,
    /// The generator's own.
    pub generator: Generator,
}

/// Diagnoses a server, within its budget whatever the server does. `news` is called with what is done and seen meanwhile.
///
/// # Errors
/// [`DiagnoseError`] if the idle server is not as a diagnosis needs it.
pub async fn diagnose(
    options: &DiagnoseOptions,
    mut news: impl FnMut(DiagnoseNews<'_>),
) -> Result<Diagnosed, DiagnoseError> {
    let (origin, lag) = (Instant::now(), Arc::new(LagLog::default()));
    let headers = in_time(options, origin, "the health check", before::check_probes(options)).await?;
    let mut recording = Recording::start(origin, options.pid.map(with_descendants));
    let process = ServerProcess::new(options, recording.samples.clone());
    let before = process.look();
    let (kinds, kept) = kinds(options, &headers);
    let probes = Probes::start(origin, &options.endpoint, kinds, kept, PROBE_TIMEOUT, lag.clone());
    let idle_since = origin.elapsed();
    news(DiagnoseNews::Idle(IDLE));
    let idle = async {
        sleep(IDLE).await;
        Ok(())
    };
    in_time(options, origin, "the idle server", idle).await?;
    recording.idle_ends();
    check_not_limited(options, &probes)?;
    news(DiagnoseNews::Looking);
    let mut seen = Seen {
        idle_probes: probes.since(idle_since, PROBE_TIMEOUT),
        keeps_connections: probes.keeps_connections(),
        idle_process: process.idle(&before),
        idle: in_time(options, origin, "one stream", before::look_at_stream(options)).await?,
        streams_max: options.streams_max,
        processors: processors(&options.endpoint),
        ..Seen::default()
    };
    seen.platform = platform::known(options.platform, &seen.idle.headers);
    news(DiagnoseNews::Looked { first_chunk: seen.idle.first_chunk, gap: seen.idle.gap() });
    let mut recovered_after_s = None;
    if seen.idle.streams() {
        let meter = Meter::new(options, &probes, &process, &recording, origin, &seen.idle);
        recording.ramp_begins();
        recovered_after_s = load(&meter, &mut recording, &mut seen, &mut news).await;
    }
    let of_another = owner::leave_out_another(options.pid, seen.idle_process.listens, &mut seen.levels);
    let mut target = recording.finish(&options.endpoint, &probes.stop());
    target.process = target.process.filter(|_| of_another.is_none());
    let mut finding = rule::find(&seen);
    finding.evidence.splice(0..0, evidence::evidence(&seen));
    finding.evidence.extend(of_another);
    let advice = advice::advise(&finding, &seen);
    let diagnosis = finding.into_diagnosis(seen, advice, recovered_after_s);
    Ok(Diagnosed { diagnosis, target, generator: lag.generator() })
}

/// The ramp, the recovery, and what is seen around the limit. The seconds until the server had recovered, if it has.
async fn load(
    meter: &Meter<'_>,
    recording: &mut Recording,
    seen: &mut Seen,
    news: &mut impl FnMut(DiagnoseNews<'_>),
) -> Option<f64> {
    let Meter { options, origin, .. } = *meter;
    let share = |share| origin + options.budget.mul_f64(share);
    let (until, end, budget) = (share(NOTHING_NEW_AFTER), share(RAMP_ENDS_AFTER), share(1.0));
    let mut held = meter.streams(seen);
    let mut ramp = Ramp { meter, held: &mut held, until };
    let climb = ramp.climb(seen, &mut *news);
    if timeout_at(end.into(), climb).await.is_err() && seen.collapse.is_none() {
        seen.cut_short = Some(CutShort::TimeOver);
    }
    let counts = held.counts();
    seen.add_losses(counts.rejected, counts.failed);
    drop(held);
    recording.ramp_ends();
    news(DiagnoseNews::Recovering);
    let recovery = recovery::wait(meter, seen, budget).await;
    seen.rejected_when_idle = recovery.rejected;
    let mut judged = seen.clone();
    owner::leave_out_another(options.pid, seen.idle_process.listens, &mut judged.levels);
    let finding = rule::find(&judged);
    if recovery.after_s.is_none() || !corner::is_sharp(seen, &finding) {
        return recovery.after_s;
    }
    let Around { corner, levels, counts } = corner::find(meter, seen, &finding, until, &mut *news).await;
    counts.into_iter().for_each(|counts| seen.add_losses(counts.rejected, counts.failed));
    if let Some(collapse) = &mut seen.collapse {
        collapse.corner = Some(corner);
    }
    if levels.is_empty() {
        return recovery.after_s;
    }
    seen.levels.extend(levels);
    recording.ramp_ends();
    news(DiagnoseNews::Recovering);
    // The server is to be left as it was found.
    let again = recovery::wait(meter, seen, budget).await;
    recovery.after_s.filter(|_| again.after_s.is_some())
}

/// Processors of the server's machine, if it is this one.
fn processors(endpoint: &Endpoint) -> Option<u64> {
    endpoint.is_loopback().then(|| environment().cores as u64)
}

/// What comes before any load, within the budget. `looked_at` says what it is.
async fn in_time<T>(
    options: &DiagnoseOptions,
    origin: Instant,
    looked_at: &'static str,
    look: impl Future<Output = Result<T, DiagnoseError>>,
) -> Result<T, DiagnoseError> {
    timeout_at((origin + options.budget).into(), look).await.map_err(|_| DiagnoseError::NoTime(looked_at))?
}

/// The probes are more requests than some servers take from one client.
fn check_not_limited(options: &DiagnoseOptions, probes: &Probes) -> Result<(), DiagnoseError> {
    const TOO_MANY_REQUESTS: u16 = 429;
    if probes.share_of(TOO_MANY_REQUESTS, Duration::ZERO) == 0.0 {
        return Ok(());
    }
    let request = format!("GET {}", options.health_path);
    let answer = format!("{TOO_MANY_REQUESTS} to some of the probes, which are {} a second", probes::RATE);
    Err(DiagnoseError::server(&request, answer, "a limit of requests hides every other one; diagnose it without that"))
}

/// The most probes that have no answer at once: a server that hangs holds each until its time-out.
#[must_use]
pub fn probes_waiting_max(options: &DiagnoseOptions) -> u64 {
    // One more is on the connection that is kept.
    probes::waiting_max(kinds(options, &[]).0.len() as u64, PROBE_TIMEOUT) + 1
}

/// The probes on fresh connections, and the one on the connection that is kept, with these headers.
fn kinds(options: &DiagnoseOptions, headers: &[(String, String)]) -> (Vec<ProbeKind>, ProbeKind) {
    let kind = |name, path: &str| ProbeKind::new(name, path).with_headers(headers);
    let no_such_path = |name| kind(name, NO_SUCH_PATH).and_takes_rejections();
    let mut kinds = vec![kind(HEALTH, &options.health_path), no_such_path(UNKNOWN_PATH)];
    kinds.extend(options.async_health_path.iter().map(|path| kind(ASYNC_HEALTH, path)));
    (kinds, no_such_path(KEPT_CONNECTION))
}
