//! Open-loop health probes on a thread of their own.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::metronome::{Beat, Metronome, Tick};
use super::{Latencies, ProbeLog, ProbeOutcome, ProbeRecord};
use crate::http::{self, Endpoint, HttpError};
use crate::result::Generator;

/// Which probes a server gets, and how often.
#[derive(Debug, Clone)]
pub struct ProbePlan {
    /// The kinds, by name.
    pub kinds: Vec<ProbeKind>,
    /// Probes of each kind a second.
    pub rate: f64,
    /// From when it was due, a probe that has no answer by then counts as timed out.
    pub timeout: Duration,
}

/// One kind of probe.
#[derive(Debug, Clone)]
pub struct ProbeKind {
    /// Its name in results: `health_sync`.
    pub name: String,
    /// What it gets: `/debug/health-sync`.
    pub path: String,
    /// A field of the JSON answer to keep, as a JSON pointer: `/status`.
    pub says: Option<String>,
}

impl ProbeKind {
    /// A probe that gets `path` and does not look into the answer.
    #[must_use]
    pub fn new(name: &str, path: &str) -> Self {
        ProbeKind { name: name.into(), path: path.into(), says: None }
    }

    /// The source's pair: a route that the thread pool serves, and one that the event loop serves.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        vec![Self::new("health_sync", "/debug/health-sync"), Self::new("health_async", "/debug/health-async")]
    }
}

/// How late the generator was, from all its parts.
#[derive(Debug, Default)]
pub struct LagLog {
    latencies: Mutex<Latencies>,
    not_sent: AtomicU64,
}

impl LagLog {
    /// Counts one lateness.
    pub fn record(&self, late: Duration) {
        self.latencies.lock().unwrap_or_else(PoisonError::into_inner).record(late);
    }

    /// Counts a probe or a stream for which this process had no descriptor or port.
    pub fn not_sent(&self) {
        self.not_sent.fetch_add(1, Relaxed);
    }

    /// What a result says of the generator.
    #[must_use]
    pub fn generator(&self) -> Generator {
        Generator { schedule_lag_ms: self.latencies().quantiles(), not_sent: self.not_sent.load(Relaxed) }
    }

    /// The distribution so far.
    #[must_use]
    pub fn latencies(&self) -> Latencies {
        self.latencies.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Sends probes on a schedule, whatever the server does: each is due at a fixed time and is timed
/// from then, so that a server which answers nothing cannot slow its own examination down
/// (coordinated omission). The probes have a thread and a runtime of their own, so that the
/// streams' traffic cannot delay them either.
pub struct Prober {
    stop: CancellationToken,
    all_answered: oneshot::Receiver<()>,
}

impl Prober {
    /// Starts probing every server in `targets` by its plan. `origin` is the start of the run.
    #[must_use]
    pub fn start(
        origin: Instant,
        targets: Vec<(Endpoint, ProbePlan)>,
        lag: Arc<LagLog>,
    ) -> (Self, Vec<Vec<Arc<ProbeLog>>>) {
        let mut schedules = Vec::new();
        let mut logs = Vec::new();
        for (endpoint, plan) in targets {
            let of_target: Vec<_> = plan.kinds.iter().cloned().map(|kind| Arc::new(ProbeLog::new(kind))).collect();
            for log in &of_target {
                let interval = Duration::from_secs_f64(1.0 / plan.rate);
                schedules.push(Schedule {
                    endpoint: endpoint.clone(),
                    log: log.clone(),
                    interval,
                    timeout: plan.timeout,
                });
            }
            logs.push(of_target);
        }
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let (answered, all_answered) = oneshot::channel();
        thread::spawn(move || {
            probe_until(&stopped, origin, schedules, lag);
            // Nobody waits when the run was given up.
            let _ = answered.send(());
        });
        (Prober { stop, all_answered }, logs)
    }

    /// Sends no more probes and waits for the answers that are out, at most for their time-out.
    pub async fn finish(mut self) {
        self.stop.cancel();
        // An error means that its thread panicked: the panic is on stderr, its probes are missing in
        // the result, and a claim without probes does not hold.
        let _ = (&mut self.all_answered).await;
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[derive(Clone)]
struct Schedule {
    endpoint: Endpoint,
    log: Arc<ProbeLog>,
    interval: Duration,
    timeout: Duration,
}

fn probe_until(stop: &CancellationToken, origin: Instant, schedules: Vec<Schedule>, lag: Arc<LagLog>) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime for the probes: {error}"));
    runtime.block_on(async {
        let count = schedules.len() as u32;
        let begun = origin.elapsed();
        // Spread over the interval, so that probes do not queue behind each other here.
        let beat = |(index, schedule): (usize, &Schedule)| Beat {
            first: begun + schedule.interval * index as u32 / count,
            interval: schedule.interval,
        };
        let mut metronome = Metronome::start(origin, schedules.iter().enumerate().map(beat).collect());
        let mut probes = JoinSet::new();
        while let Some(Some(Tick { beat, due })) = stop.run_until_cancelled(metronome.tick()).await {
            let schedule = &schedules[beat];
            lag.record(origin.elapsed().saturating_sub(due));
            schedule.log.begin(due);
            probes.spawn(probe(origin, due, schedule.clone(), lag.clone()));
            while probes.try_join_next().is_some() {}
        }
        drop(metronome);
        probes.join_all().await;
    });
}

async fn probe(origin: Instant, due: Duration, schedule: Schedule, lag: Arc<LagLog>) {
    let sent_after = origin.elapsed().saturating_sub(due);
    let deadline = origin + due + schedule.timeout;
    let kind = &schedule.log.kind;
    let answer = tokio::time::timeout_at(deadline.into(), ask_health(&schedule.endpoint, kind)).await;
    let latency = origin.elapsed().saturating_sub(due);
    let record = |outcome, latency| ProbeRecord { due, sent_after, latency, outcome, says: None };
    let record = match answer {
        Ok(Ok(Answer { status: 200..=299, says })) => ProbeRecord { says, ..record(ProbeOutcome::Ok, latency) },
        Ok(Ok(Answer { status, .. })) => record(ProbeOutcome::Refused(status), latency),
        Ok(Err(error)) if error.is_own_limit() => {
            lag.not_sent();
            record(ProbeOutcome::NotSent, latency)
        }
        Ok(Err(error)) => record(ProbeOutcome::Failed(error.cause()), latency),
        Err(_) => record(ProbeOutcome::TimedOut, schedule.timeout),
    };
    schedule.log.end(record);
}

/// What a health check was answered.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The field of the body that the kind asks for, where it is there.
    pub says: Option<Arc<str>>,
}

/// Asks for `kind` once, on a connection of its own, and reads the answer to its end.
///
/// # Errors
/// [`HttpError`] where there is no whole answer. There is no time-out: the caller has one.
pub async fn ask_health(endpoint: &Endpoint, kind: &ProbeKind) -> Result<Answer, HttpError> {
    /// Of a body that is looked into; of others nothing is kept.
    const BYTES_KEPT: usize = 64 * 1024;
    let keep = if kind.says.is_some() { BYTES_KEPT } else { 0 };
    let (status, body) = http::ask(endpoint, endpoint.request("GET", &kind.path, &[], Bytes::new()), keep).await?;
    Ok(Answer { status, says: kind.says.as_deref().and_then(|pointer| field(&body, pointer)) })
}

/// The field of a JSON body, as text of bounded length.
fn field(body: &[u8], pointer: &str) -> Option<Arc<str>> {
    const CHARS_MAX: usize = 40;
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let value = body.pointer(pointer)?;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Some(text.chars().take(CHARS_MAX).collect::<String>().into())
}
