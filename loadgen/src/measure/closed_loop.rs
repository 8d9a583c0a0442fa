//! One question after the other, as scripts measure.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::Latencies;
use crate::http::{Endpoint, KeepAliveConnection};
use crate::result::ClosedLoopStats;

/// How to ask one question after the other.
#[derive(Debug, Clone)]
pub struct ClosedLoopPlan {
    /// What is asked for: `/debug/health-sync`.
    pub path: String,
    /// From an answer to the next question.
    pub pause: Duration,
    /// A question that has no answer by then has failed, and the next one is asked.
    pub timeout: Duration,
}

/// Measures as scripts do, and as the source's validation does: on one connection, one question after
/// the other, timed from when it was sent. While an answer is late nothing is asked, so a stall of any
/// length is one bad figure among many good ones. It is here to be compared with the open-loop
/// [`Prober`](super::Prober). Dropped, it stops asking.
pub struct ClosedLoop {
    log: Arc<ClosedLoopLog>,
    _task: AbortOnDropHandle<()>,
}

impl ClosedLoop {
    /// Starts asking. `origin` is the start of the run.
    #[must_use]
    pub fn start(origin: Instant, endpoint: Endpoint, plan: ClosedLoopPlan) -> Self {
        let log = Arc::new(ClosedLoopLog::default());
        let task = tokio::spawn(check_repeatedly(origin, endpoint, plan, log.clone()));
        ClosedLoop { log, _task: AbortOnDropHandle::new(task) }
    }

    /// The figures of the questions that were asked in `[from, to)` and have their answer.
    #[must_use]
    pub fn stats(&self, from: Duration, to: Duration) -> ClosedLoopStats {
        self.log.stats(from, to)
    }
}

/// One question and its answer.
#[derive(Debug, Clone, Copy)]
pub struct ClosedLoopRecord {
    /// When it was asked, since the start of the run.
    pub asked: Duration,
    /// From then to the answer, or to the time-out.
    pub latency: Duration,
    /// Whether the answer was 2xx.
    pub ok: bool,
}

/// Asks for `path` once, at most for `limit`.
pub async fn check_once(
    origin: Instant,
    connection: &mut KeepAliveConnection,
    path: &str,
    limit: Duration,
) -> ClosedLoopRecord {
    let asked = origin.elapsed();
    let answer = timeout(limit, connection.get(path)).await;
    ClosedLoopRecord { asked, latency: origin.elapsed().saturating_sub(asked), ok: matches!(answer, Ok(Ok(200..=299))) }
}

/// The figures of these answers.
#[must_use]
pub fn closed_loop_stats<'a>(answers: impl Iterator<Item = &'a ClosedLoopRecord> + Clone) -> ClosedLoopStats {
    let latencies: Latencies = answers.clone().map(|answered| answered.latency).collect();
    let total: Duration = answers.clone().map(|answered| answered.latency).sum();
    let sent = latencies.count();
    ClosedLoopStats {
        sent,
        failed: answers.filter(|answered| !answered.ok).count() as u64,
        latency_ms: latencies.quantiles(),
        mean_ms: total.as_secs_f64() * 1000.0 / sent.max(1) as f64,
    }
}

/// All answers, in order.
#[derive(Debug, Default)]
struct ClosedLoopLog(Mutex<Vec<ClosedLoopRecord>>);

impl ClosedLoopLog {
    fn record(&self, answered: ClosedLoopRecord) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(answered);
    }

    fn stats(&self, from: Duration, to: Duration) -> ClosedLoopStats {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        closed_loop_stats(all.iter().filter(|answered| (from..to).contains(&answered.asked)))
    }
}

async fn check_repeatedly(origin: Instant, endpoint: Endpoint, plan: ClosedLoopPlan, log: Arc<ClosedLoopLog>) {
    let mut connection = KeepAliveConnection::new(endpoint);
    loop {
        log.record(check_once(origin, &mut connection, &plan.path, plan.timeout).await);
        sleep(plan.pause).await;
    }
}
