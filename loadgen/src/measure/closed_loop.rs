//! The closed-loop probe: checks one after another, as scripts measure.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::Latencies;
use crate::http::{Endpoint, KeepAliveConnection};
use crate::numbers::in_millis;
use crate::result::ClosedLoopStats;

/// The plan of a closed-loop probe.
#[derive(Debug, Clone)]
pub struct ClosedLoopPlan {
    /// The path: `/debug/health-sync`.
    pub path: String,
    /// Time from an answer to the next request.
    pub pause: Duration,
    /// A check that takes longer has failed, and the next one is sent.
    pub timeout: Duration,
}

/// Measures as scripts do: on one connection, one check after another, timed from when it was sent. While an answer
/// is late, nothing is sent, so a stall of any length is one bad figure among many good ones. It exists to be
/// compared with the open-loop [`Prober`](super::Prober). Dropped, it stops.
pub struct ClosedLoop {
    log: Arc<ClosedLoopLog>,
    _task: AbortOnDropHandle<()>,
}

impl ClosedLoop {
    /// Starts checking. `origin` is the start of the run.
    #[must_use]
    pub fn start(origin: Instant, endpoint: Endpoint, plan: ClosedLoopPlan) -> Self {
        let log = Arc::new(ClosedLoopLog::default());
        let task = tokio::spawn(check_repeatedly(origin, endpoint, plan, log.clone()));
        ClosedLoop { log, _task: AbortOnDropHandle::new(task) }
    }

    /// The figures of the checks that were sent in `[from, to)` and have ended.
    #[must_use]
    pub fn stats(&self, from: Duration, to: Duration) -> ClosedLoopStats {
        self.log.stats(from, to)
    }
}

/// One check.
#[derive(Debug, Clone, Copy)]
pub struct ClosedLoopRecord {
    /// When it was sent, since the start of the run.
    pub sent: Duration,
    /// From then to the answer, or the time-out.
    pub latency: Duration,
    /// Whether the answer was 2xx.
    pub ok: bool,
}

/// Gets `path` once, waiting at most for `limit`.
pub async fn check_once(
    origin: Instant,
    connection: &mut KeepAliveConnection,
    path: &str,
    limit: Duration,
) -> ClosedLoopRecord {
    let sent_at = origin.elapsed();
    let answer = timeout(limit, connection.get(path)).await;
    ClosedLoopRecord {
        sent: sent_at,
        latency: origin.elapsed().saturating_sub(sent_at),
        ok: matches!(answer, Ok(Ok(200..=299))),
    }
}

/// The figures of these checks.
#[must_use]
pub fn closed_loop_stats<'a>(answers: impl Iterator<Item = &'a ClosedLoopRecord> + Clone) -> ClosedLoopStats {
    let latencies: Latencies = answers.clone().map(|answered| answered.latency).collect();
    let total: Duration = answers.clone().map(|answered| answered.latency).sum();
    let sent = latencies.count();
    ClosedLoopStats {
        sent,
        failed: answers.filter(|answered| !answered.ok).count() as u64,
        latency_ms: latencies.quantiles(),
        mean_ms: in_millis(total) / sent.max(1) as f64,
    }
}

/// All checks, in order.
#[derive(Debug, Default)]
struct ClosedLoopLog(Mutex<Vec<ClosedLoopRecord>>);

impl ClosedLoopLog {
    fn record(&self, answered: ClosedLoopRecord) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(answered);
    }

    fn stats(&self, from: Duration, to: Duration) -> ClosedLoopStats {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        closed_loop_stats(all.iter().filter(|record| (from..to).contains(&record.sent)))
    }
}

async fn check_repeatedly(origin: Instant, endpoint: Endpoint, plan: ClosedLoopPlan, log: Arc<ClosedLoopLog>) {
    let mut connection = KeepAliveConnection::new(endpoint);
    loop {
        log.record(check_once(origin, &mut connection, &plan.path, plan.timeout).await);
        sleep(plan.pause).await;
    }
}
