//! Finds out what limits a server: how many streams it holds until it is no longer as when idle, and what kind of limit
//! that is. It needs a path that streams and a cheap one, and knows nothing else of the server.

mod advice;
mod finding;
mod held;
mod look;
mod options;
pub mod platform;
mod probes;
mod ramp;
mod recovery;
mod rule;
mod seen;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::environment::environment;
use crate::http::{Endpoint, HttpError};
use crate::measure::{LagLog, ProbeKind, ServerSamples, one_process};
use crate::result::{Diagnosis, DiagnosisLevel, Generator};
use crate::traffic::Request;
use held::HeldStreams;
use look::{accepting_gzip, look};
pub use options::DiagnoseOptions;
use probes::Probes;
use ramp::Ramp;
use seen::{ASYNC_HEALTH, HEALTH, IdleStream, Seen, UNKNOWN_PATH};

/// Time after which a probe counts as timed out: far over a late answer, and short enough that the last ones are known
/// soon.
const PROBE_TIMEOUT: Duration = Duration::from_secs(4);
/// How long the idle server is probed.
const IDLE: Duration = Duration::from_millis(1_500);
/// How long one stream is looked at.
const LOOK: Duration = Duration::from_secs(4);
/// A path that no server has.
const NO_SUCH_PATH: &str = "/loadgen-diagnose-no-such-path";

/// Why there is no diagnosis.
#[derive(Debug, thiserror::Error)]
pub enum DiagnoseError {
    /// The path of the streams has no stream.
    #[error(
        "{method} {path} answered {status}: a diagnosis needs a request that is answered with a stream; check --stream-path, --method, --header, --api-key and --body"
    )]
    NoStream {
        /// Its method.
        method: String,
        /// Its path.
        path: String,
        /// The HTTP status.
        status: u16,
    },
    /// The path of the streams has no answer.
    #[error("{method} {path} has no answer within {within:?}")]
    NoAnswer {
        /// Its method.
        method: String,
        /// Its path.
        path: String,
        /// How long it was awaited.
        within: Duration,
    },
    /// The server could not be asked.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// What a diagnosis does, while it does it.
#[derive(Debug, Clone, PartialEq)]
pub enum DiagnoseNews<'a> {
    /// One stream of the idle server has been looked at: the time to its first chunk, and from one to the next.
    Looked(Duration, Duration),
    /// A number of streams was held.
    Level(&'a DiagnosisLevel),
    /// The streams are closed, and the server should recover.
    Recovering,
}

/// Diagnoses a server. The figures of the generator are those of its own lag.
///
/// # Errors
/// [`DiagnoseError`] if the request is not answered by the idle server.
pub async fn diagnose(
    options: &DiagnoseOptions,
    mut news: impl FnMut(DiagnoseNews<'_>),
) -> Result<(Diagnosis, Generator), DiagnoseError> {
    let (origin, lag) = (Instant::now(), Arc::new(LagLog::default()));
    let probes = Probes::start(origin, &options.endpoint, kinds(options), NO_SUCH_PATH, PROBE_TIMEOUT, lag.clone());
    let samples = ServerSamples::new(options.pid.map(one_process), Vec::new());
    sleep(IDLE).await;
    let idle_ms = probes.since(Duration::ZERO, PROBE_TIMEOUT).into_iter();
    let idle_ms = idle_ms.map(|(name, level)| (name, level.latency_ms.p50)).collect();
    let idle = look_at(options).await?;
    news(DiagnoseNews::Looked(idle.first_chunk, idle.gap()));
    let mut seen = Seen { idle, idle_ms, streams_max: options.streams_max, ..Seen::default() };
    seen.platform = platform::known(options.platform, &seen.idle.headers);
    seen.processors = processors(&options.endpoint);
    let mut recovered_after = None;
    if seen.idle.streams() {
        let mut held = HeldStreams::new(options.endpoint.clone(), options.request.clone());
        let until = origin + options.budget.mul_f64(0.7);
        let mut ramp = Ramp { held: &mut held, probes: &probes, samples: &samples, origin, until };
        ramp.climb(&mut seen, |level| news(DiagnoseNews::Level(level))).await;
        drop(held);
        news(DiagnoseNews::Recovering);
        recovered_after = recovery::wait(options, &probes, &seen, origin).await;
    }
    probes.stop();
    let finding = rule::find(&seen);
    let advice = advice::advise(&finding, &seen);
    Ok((finding.into_diagnosis(seen, advice, recovered_after), lag.generator()))
}

/// Processors of the server's machine, if it is this one.
fn processors(endpoint: &Endpoint) -> Option<u64> {
    let here = endpoint.addr().ip().is_loopback();
    here.then(|| environment().cores as u64)
}

fn kinds(options: &DiagnoseOptions) -> Vec<ProbeKind> {
    let mut kinds = vec![ProbeKind::new(HEALTH, &options.health_path), ProbeKind::new(UNKNOWN_PATH, NO_SUCH_PATH)];
    kinds.extend(options.async_health_path.iter().map(|path| ProbeKind::new(ASYNC_HEALTH, path)));
    kinds
}

async fn look_at(options: &DiagnoseOptions) -> Result<IdleStream, DiagnoseError> {
    let Request { method, path, .. } = &options.request;
    let no_answer = || DiagnoseError::NoAnswer { method: method.clone(), path: path.clone(), within: LOOK };
    let plain = look(&options.endpoint, &options.request, LOOK).await?.ok_or_else(no_answer)?;
    if !(200..300).contains(&plain.status) {
        return Err(DiagnoseError::NoStream { method: method.clone(), path: path.clone(), status: plain.status });
    }
    // As long as it takes to see some chunks.
    let some = (plain.first_chunk * 2 + plain.gap() * 4).clamp(Duration::from_millis(500), LOOK);
    let compressed = look(&options.endpoint, &accepting_gzip(&options.request), some).await?;
    let compressed = compressed.filter(|looked| !looked.header("content-encoding").is_empty()).map(Box::new);
    Ok(IdleStream { compressed, ..plain })
}
