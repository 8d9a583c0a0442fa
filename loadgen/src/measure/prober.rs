use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Latencies;
use crate::http::{self, Endpoint};
use crate::result::ProbeStats;

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
}

impl ProbeKind {
    /// The source's pair: a route that the thread pool serves, and one that the event loop serves.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        let kind = |name: &str, path: &str| ProbeKind { name: name.into(), path: path.into() };
        vec![kind("health_sync", "/debug/health-sync"), kind("health_async", "/debug/health-async")]
    }
}

/// One probe.
#[derive(Debug, Clone, Copy)]
pub struct ProbeRecord {
    /// When it was due, since the start of the run.
    pub due: Duration,
    /// How much later it was sent.
    pub sent_after: Duration,
    /// From when it was due to its end.
    pub latency: Duration,
    /// How it ended.
    pub outcome: ProbeOutcome,
}

/// How a probe ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// 200, whole, in time.
    Ok,
    /// Anything else, in time.
    Failed,
    /// Nothing in time.
    TimedOut,
}

/// All probes of one kind at one server.
#[derive(Debug)]
pub struct ProbeLog {
    /// The kind.
    pub kind: ProbeKind,
    records: Mutex<Vec<ProbeRecord>>,
    /// When each probe without an answer was due.
    waiting: Mutex<Vec<Duration>>,
}

impl ProbeLog {
    fn new(kind: ProbeKind) -> Self {
        ProbeLog { kind, records: Mutex::default(), waiting: Mutex::default() }
    }

    /// The probes that were due in `[from, to)` and have ended.
    #[must_use]
    pub fn due_between(&self, from: Duration, to: Duration) -> Vec<ProbeRecord> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().filter(|record| (from..to).contains(&record.due)).copied().collect()
    }

    /// How long the oldest probe without an answer has been waiting at `now`.
    #[must_use]
    pub fn longest_wait(&self, now: Duration) -> Option<Duration> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.iter().min().map(|due| now.saturating_sub(*due))
    }

    /// Whether a probe timed out in `[from, to)`, whenever it was due.
    #[must_use]
    pub fn timed_out_between(&self, from: Duration, to: Duration) -> bool {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let timed_out = records.iter().filter(|record| record.outcome == ProbeOutcome::TimedOut);
        timed_out.map(|record| record.due + record.latency).any(|ended| (from..to).contains(&ended))
    }

    /// The figures of the probes that were due in `[from, to)`.
    #[must_use]
    pub fn stats(&self, from: Duration, to: Duration) -> ProbeStats {
        let records = self.due_between(from, to);
        let count = |outcome| records.iter().filter(|record| record.outcome == outcome).count() as u64;
        let from_due: Latencies = records.iter().map(|record| record.latency).collect();
        let from_sent: Latencies =
            records.iter().map(|record| record.latency.saturating_sub(record.sent_after)).collect();
        ProbeStats {
            sent: records.len() as u64,
            ok: count(ProbeOutcome::Ok),
            failed: count(ProbeOutcome::Failed),
            timed_out: count(ProbeOutcome::TimedOut),
            latency_ms: from_due.quantiles(),
            latency_from_sent_ms: from_sent.quantiles(),
        }
    }

    fn begin(&self, due: Duration) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(due);
    }

    fn end(&self, record: ProbeRecord) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = waiting.iter().position(|due| *due == record.due) {
            waiting.swap_remove(index);
        }
        self.records.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }
}

/// How late the generator was, from all its parts.
#[derive(Debug, Default)]
pub struct LagLog(Mutex<Latencies>);

impl LagLog {
    /// Counts one lateness.
    pub fn record(&self, late: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).record(late);
    }

    /// The distribution so far.
    #[must_use]
    pub fn latencies(&self) -> Latencies {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
            probe_until(&stopped, origin, schedules, &lag);
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

fn probe_until(stop: &CancellationToken, origin: Instant, schedules: Vec<Schedule>, lag: &Arc<LagLog>) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime for the probes: {error}"));
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        let count = schedules.len() as u32;
        for (index, schedule) in schedules.into_iter().enumerate() {
            // Spread over the interval, so that probes do not queue behind each other here.
            let first = origin.elapsed() + schedule.interval * index as u32 / count;
            tasks.spawn(keep_schedule(stop.clone(), origin, first, schedule, lag.clone()));
        }
        tasks.join_all().await;
    });
}

async fn keep_schedule(
    stop: CancellationToken,
    origin: Instant,
    first: Duration,
    schedule: Schedule,
    lag: Arc<LagLog>,
) {
    let mut probes = JoinSet::new();
    for tick in 0u32.. {
        let due = first + schedule.interval * tick;
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep_until((origin + due).into()) => {}
        }
        lag.record(origin.elapsed().saturating_sub(due));
        schedule.log.begin(due);
        probes.spawn(probe(origin, due, schedule.clone()));
        while probes.try_join_next().is_some() {}
    }
    probes.join_all().await;
}

async fn probe(origin: Instant, due: Duration, schedule: Schedule) {
    let sent_after = origin.elapsed().saturating_sub(due);
    let deadline = origin + due + schedule.timeout;
    let answer = tokio::time::timeout_at(deadline.into(), get_whole(&schedule.endpoint, &schedule.log.kind.path)).await;
    let (outcome, latency) = match answer {
        Ok(true) => (ProbeOutcome::Ok, origin.elapsed().saturating_sub(due)),
        Ok(false) => (ProbeOutcome::Failed, origin.elapsed().saturating_sub(due)),
        Err(_) => (ProbeOutcome::TimedOut, schedule.timeout),
    };
    schedule.log.end(ProbeRecord { due, sent_after, latency, outcome });
}

async fn get_whole(endpoint: &Endpoint, path: &str) -> bool {
    let request = endpoint.request("GET", path, &[], Bytes::new());
    match http::send(endpoint, request).await {
        Ok(mut exchange) => {
            let ok = exchange.response.status() == 200;
            ok && exchange.response.body_mut().collect().await.is_ok()
        }
        Err(_) => false,
    }
}
