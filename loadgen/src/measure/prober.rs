//! Open-loop health probes on a thread of their own.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::ticker::{Period, Tick, Ticker};
use super::{HealthAnswer, LagLog, ProbeLog, ProbeOutcome, ProbePlan, ProbeRecord, get_health};
use crate::http::Endpoint;

/// Sends probes on a schedule, whatever the server does: each is due at a fixed time and is timed from then, so that
/// a server that does not answer cannot slow down its own measurement (coordinated omission). The probes have
/// a thread and a runtime of their own, so that the streams cannot delay them either.
pub struct Prober {
    stop: CancellationToken,
    all_answered: oneshot::Receiver<()>,
}

impl Prober {
    /// Starts probing every server in `targets` by its plan. `origin` is the start of the run.
    #[must_use]
    pub fn start(origin: Instant, targets: Vec<(Endpoint, ProbePlan)>, lag: Arc<LagLog>) -> (Self, Vec<ProbeLogs>) {
        let targets = targets.into_iter().map(|(endpoint, plan)| (endpoint, logs_of(&plan), plan)).collect();
        Self::probe(origin, targets, lag)
    }

    /// Starts probing all of `endpoints` by the same plan. The logs are those of all of them together, and those of each.
    #[must_use]
    pub fn start_together(
        origin: Instant,
        endpoints: &[Endpoint],
        plan: &ProbePlan,
        lag: Arc<LagLog>,
    ) -> (Self, ProbeLogs, Vec<ProbeLogs>) {
        let together = logs_of(plan);
        let part = || -> ProbeLogs {
            if endpoints.len() == 1 {
                return together.clone();
            }
            together.iter().map(|log| Arc::new(ProbeLog::part_of(log.clone()))).collect()
        };
        let targets = endpoints.iter().map(|endpoint| (endpoint.clone(), part(), plan.clone())).collect();
        let (prober, of_each) = Self::probe(origin, targets, lag);
        (prober, together, of_each)
    }

    /// Starts probing, and returns the logs of each server.
    fn probe(
        origin: Instant,
        targets: Vec<(Endpoint, ProbeLogs, ProbePlan)>,
        lag: Arc<LagLog>,
    ) -> (Self, Vec<ProbeLogs>) {
        let (mut schedules, mut of_each) = (Vec::new(), Vec::new());
        for (endpoint, logs, plan) in targets {
            let (interval, timeout) = (Duration::from_secs_f64(1.0 / plan.rate), plan.timeout);
            of_each.push(logs.clone());
            schedules.extend(logs.into_iter().map(|log| Schedule {
                endpoint: endpoint.clone(),
                log,
                interval,
                timeout,
            }));
        }
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let (answered, all_answered) = oneshot::channel();
        thread::spawn(move || {
            probe_until(&stopped, origin, schedules, lag);
            // Nothing waits for this if the run was cancelled.
            let _ = answered.send(());
        });
        (Prober { stop, all_answered }, of_each)
    }

    /// Stops sending and waits for outstanding answers, at most for their time-out.
    pub async fn finish(mut self) {
        self.stop.cancel();
        // An error means that the thread panicked (see stderr). Its probes are missing in the result, and a
        // claim without probes does not hold.
        let _ = (&mut self.all_answered).await;
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The logs of one server's probes, one for each kind.
type ProbeLogs = Vec<Arc<ProbeLog>>;

fn logs_of(plan: &ProbePlan) -> ProbeLogs {
    plan.kinds.iter().cloned().map(|kind| Arc::new(ProbeLog::new(kind))).collect()
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
        // Spread over the interval, so that probes do not queue behind each other.
        let period = |(index, schedule): (usize, &Schedule)| Period {
            first: begun + schedule.interval * index as u32 / count,
            interval: schedule.interval,
        };
        let mut ticker = Ticker::start(origin, schedules.iter().enumerate().map(period).collect());
        let mut probes = JoinSet::new();
        while let Some(Some(Tick { period, due })) = stop.run_until_cancelled(ticker.tick()).await {
            let schedule = &schedules[period];
            lag.record(origin.elapsed().saturating_sub(due));
            schedule.log.begin(due);
            probes.spawn(probe(origin, due, schedule.clone(), lag.clone()));
            while probes.try_join_next().is_some() {}
        }
        drop(ticker);
        probes.join_all().await;
    });
}

async fn probe(origin: Instant, due: Duration, schedule: Schedule, lag: Arc<LagLog>) {
    let sent_after = origin.elapsed().saturating_sub(due);
    let deadline = origin + due + schedule.timeout;
    let kind = &schedule.log.kind;
    let answer = tokio::time::timeout_at(deadline.into(), get_health(&schedule.endpoint, kind)).await;
    let latency = origin.elapsed().saturating_sub(due);
    let record = |outcome, latency| ProbeRecord { due, sent_after, latency, outcome, field_value: None };
    let record = match answer {
        Ok(Ok(HealthAnswer { status, field_value })) if kind.takes(status) => {
            ProbeRecord { field_value, ..record(ProbeOutcome::Ok, latency) }
        }
        Ok(Ok(HealthAnswer { status, .. })) => record(ProbeOutcome::Refused(status), latency),
        Ok(Err(error)) if error.is_own_limit() => {
            lag.not_sent();
            record(ProbeOutcome::NotSent, latency)
        }
        Ok(Err(error)) => record(ProbeOutcome::Failed(error.cause()), latency),
        Err(_) => record(ProbeOutcome::TimedOut, schedule.timeout),
    };
    schedule.log.end(record);
}
