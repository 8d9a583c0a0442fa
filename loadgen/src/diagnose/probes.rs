//! The probes of a diagnosis: open loop on fresh connections, and one connection that is kept from before the ramp.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::{sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::seen::KEPT_CONNECTION;
use crate::http::{Endpoint, KeepAliveConnection, REFUSED};
use crate::measure::{LagLog, Latencies, ProbeKind, ProbeLog, ProbeOutcome, ProbePlan, ProbeSeen, Prober};
use crate::result::ProbeLevel;

/// Probes per second, of each kind.
pub(super) const RATE: f64 = 10.0;
/// Time between two requests on the kept connection, from one to the next that is due.
const KEPT_INTERVAL: Duration = Duration::from_millis(200);

/// The probes while they are sent. Dropped, they stop.
pub(super) struct Probes {
    origin: Instant,
    timeout: Duration,
    logs: Vec<Arc<ProbeLog>>,
    kept: Arc<Mutex<Vec<Kept>>>,
    prober: Prober,
    _keeper: AbortOnDropHandle<()>,
}

/// A request on the kept connection: when it was sent, since the start, and how long its answer took; none yet, or none.
#[derive(Debug, Clone, Copy)]
struct Kept {
    sent: Duration,
    took: Option<Duration>,
    /// Why there is none.
    failed: Option<&'static str>,
}

/// The most probes that wait for an answer at once, of so many kinds.
pub(super) fn waiting_max(kinds: u64, timeout: Duration) -> u64 {
    (RATE * timeout.as_secs_f64()).ceil() as u64 * kinds
}

impl Probes {
    /// Starts probing `server`. `kept_path` is requested on the connection that is kept.
    pub(super) fn start(
        origin: Instant,
        server: &Endpoint,
        kinds: Vec<ProbeKind>,
        kept_path: &str,
        timeout: Duration,
        lag: Arc<LagLog>,
    ) -> Self {
        let plan = ProbePlan { kinds, rate: RATE, timeout };
        let (prober, mut logs) = Prober::start(origin, vec![(server.clone(), plan)], lag);
        let kept = Arc::new(Mutex::new(Vec::new()));
        let keeper =
            keep(origin, KeepAliveConnection::new(server.clone()), kept_path.to_owned(), timeout, kept.clone());
        Probes {
            origin,
            timeout,
            logs: logs.pop().unwrap_or_default(),
            kept,
            prober,
            _keeper: AbortOnDropHandle::new(tokio::spawn(keeper)),
        }
    }

    /// What was seen of each kind from `from` until now. A probe without an answer counts as long as it has waited, if
    /// that is longer than `patience`, and not at all otherwise.
    pub(super) fn since(&self, from: Duration, patience: Duration) -> BTreeMap<String, ProbeLevel> {
        let now = self.origin.elapsed();
        let mut levels: BTreeMap<_, _> =
            self.logs.iter().map(|log| (log.kind.name.clone(), level(log, from, now, patience))).collect();
        levels.insert(KEPT_CONNECTION.to_owned(), self.kept_since(from, now, patience));
        levels
    }

    fn kept_since(&self, from: Duration, now: Duration, patience: Duration) -> ProbeLevel {
        let mut level = Counted::default();
        for kept in self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            match *kept {
                Kept { sent, took: None, .. } => level.waits(now.saturating_sub(sent), patience),
                Kept { sent, .. } if sent < from => {}
                Kept { failed: Some(_), .. } => level.failed += 1,
                Kept { took: Some(took), .. } if took >= self.timeout => level.timed_out(took),
                Kept { took: Some(took), .. } => level.answered(took),
            }
        }
        level.finish()
    }

    /// Whether nothing listened any more at some time since `from`: the connection that is kept was lost, and its
    /// successor refused. A server that is only full keeps the one, or lets the other wait.
    pub(super) fn refused(&self, from: Duration) -> bool {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().any(|kept| kept.sent >= from && kept.failed == Some(REFUSED))
    }

    /// The share of the probes that were due since `from` and have ended, that had this HTTP status.
    pub(super) fn share_of(&self, status: u16, from: Duration) -> f64 {
        let (mut ended, mut with_status) = (0_u32, 0_u32);
        for log in &self.logs {
            log.visit(from, |seen| {
                let ProbeSeen::Ended(probe) = seen else { return };
                if probe.due >= from {
                    ended += 1;
                    with_status += u32::from(probe.outcome == ProbeOutcome::Refused(status));
                }
            });
        }
        f64::from(with_status) / f64::from(ended.max(1))
    }

    /// Stops, without waiting for the answers that are still out.
    pub(super) fn stop(self) {
        drop(self.prober);
    }
}

fn level(log: &ProbeLog, from: Duration, now: Duration, patience: Duration) -> ProbeLevel {
    let mut level = Counted::default();
    log.visit(from, |seen| match seen {
        ProbeSeen::Waiting(due) => level.waits(now.saturating_sub(due), patience),
        ProbeSeen::Ended(probe) if probe.due + probe.latency < from => {}
        ProbeSeen::Ended(probe) => match probe.outcome {
            // Any status is an answer: a path that does not exist has 404.
            ProbeOutcome::Ok | ProbeOutcome::Refused(_) => level.answered(probe.latency),
            ProbeOutcome::TimedOut => level.timed_out(probe.latency),
            ProbeOutcome::Failed(_) => level.failed += 1,
            ProbeOutcome::NotSent => {}
        },
    });
    level.finish()
}

#[derive(Default)]
struct Counted {
    latencies: Latencies,
    answered: u64,
    timed_out: u64,
    failed: u64,
}

impl Counted {
    fn answered(&mut self, took: Duration) {
        self.answered += 1;
        self.latencies.record(took);
    }

    fn timed_out(&mut self, took: Duration) {
        self.timed_out += 1;
        self.latencies.record(took);
    }

    fn waits(&mut self, waited: Duration, patience: Duration) {
        if waited >= patience {
            self.timed_out(waited);
        }
    }

    fn finish(self) -> ProbeLevel {
        let Counted { latencies, answered, timed_out, failed } = self;
        let sent = answered + timed_out + failed;
        ProbeLevel { sent, answered, timed_out, failed, latency_ms: latencies.quantiles_among(sent) }
    }
}

/// Sends one request after another on one connection, each when it is due or as soon as the last one is answered.
async fn keep(
    origin: Instant,
    mut connection: KeepAliveConnection,
    path: String,
    limit: Duration,
    log: Arc<Mutex<Vec<Kept>>>,
) {
    let mut due = Instant::now();
    loop {
        sleep_until(due.into()).await;
        let sent = origin.elapsed();
        let place = {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.push(Kept { sent, took: None, failed: None });
            log.len() - 1
        };
        let answer = timeout(limit, connection.get(&path)).await;
        let took = Some(origin.elapsed().saturating_sub(sent));
        let failed = answer.ok().and_then(Result::err).map(|error| error.cause());
        log.lock().unwrap_or_else(PoisonError::into_inner)[place] = Kept { sent, took, failed };
        due = (due + KEPT_INTERVAL).max(Instant::now());
    }
}
