//! The probes of a diagnosis: open loop on fresh connections, and one connection that is kept from before the ramp.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use tokio::time::{sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::seen::KEPT_CONNECTION;
use super::silences::silences;
use crate::http::{Endpoint, KeepAliveConnection, REFUSED};
use crate::measure::{LagLog, Latencies, ProbeKind, ProbeLog, ProbeOutcome, ProbePlan, ProbeRecord, ProbeSeen, Prober};
use crate::result::ProbeLevel;

/// Probes per second, of each kind, at most.
pub(super) const RATE: f64 = 10.0;
/// Those of each kind. Servers with several event loops give connections to one after another: at the same rate, all
/// probes of a kind could meet the same loop.
const RATES: [f64; 3] = [RATE, 7.0, 8.0];
/// Time between two requests on the kept connection, from one to the next that is due.
const KEPT_INTERVAL: Duration = Duration::from_millis(200);

/// The probes while they are sent. Dropped, they stop.
pub(super) struct Probes {
    origin: Instant,
    logs: Vec<Arc<ProbeLog>>,
    prober: Prober,
    /// Connections that were opened in place of the one that is kept, with it.
    opened: Arc<AtomicU64>,
    _keeper: AbortOnDropHandle<()>,
}

/// The most probes that wait for an answer at once, of so many kinds.
pub(super) fn waiting_max(kinds: u64, timeout: Duration) -> u64 {
    (RATE * timeout.as_secs_f64()).ceil() as u64 * kinds
}

impl Probes {
    /// Starts probing `server`. The kind that is kept is requested on the connection that is.
    pub(super) fn start(
        origin: Instant,
        server: &Endpoint,
        kinds: Vec<ProbeKind>,
        kept: ProbeKind,
        timeout: Duration,
        lag: Arc<LagLog>,
    ) -> Self {
        let plan = |(kind, rate)| (server.clone(), ProbePlan { kinds: vec![kind], rate, timeout });
        let (prober, logs) = Prober::start(origin, kinds.into_iter().zip(RATES).map(plan).collect(), lag);
        let connection = KeepAliveConnection::new(server.clone()).with_headers(kept.headers.clone());
        let kept = Arc::new(ProbeLog::new(kept));
        let opened = Arc::new(AtomicU64::new(0));
        let keeper = keep(origin, connection, timeout, kept.clone(), opened.clone());
        let keeper = AbortOnDropHandle::new(tokio::spawn(keeper));
        let mut logs = logs.concat();
        logs.push(kept);
        Probes { origin, logs, prober, opened, _keeper: keeper }
    }

    /// What was seen of each kind from `from` until now. A probe without an answer counts as long as it has waited, if
    /// that is longer than `patience`, and not at all otherwise.
    pub(super) fn since(&self, from: Duration, patience: Duration) -> BTreeMap<String, ProbeLevel> {
        let now = self.origin.elapsed();
        self.logs.iter().map(|log| (log.kind.name.clone(), level(log, from, now, patience))).collect()
    }

    /// The log of the connection that is kept.
    fn kept(&self) -> impl Iterator<Item = &Arc<ProbeLog>> {
        self.logs.iter().filter(|log| log.kind.name == KEPT_CONNECTION)
    }

    /// Whether the server keeps a connection for several requests, as far as it has been seen.
    pub(super) fn keeps_connections(&self) -> bool {
        let mut requests = 0;
        self.kept().for_each(|log| log.visit(Duration::ZERO, |_| requests += 1));
        self.opened.load(Relaxed) * 2 <= requests + 1
    }

    /// How late the probes since `from` were sent by this process: nine of ten less than this, in milliseconds.
    pub(super) fn lag_since(&self, from: Duration) -> f64 {
        let mut lag = Latencies::new();
        for log in &self.logs {
            log.visit(from, |seen| {
                if let ProbeSeen::Ended(probe) = seen {
                    lag.record(probe.sent_after);
                }
            });
        }
        lag.quantiles().p90
    }

    /// Whether nothing at all has been answered lately, for longer than chance makes.
    pub(super) fn are_silent(&self) -> bool {
        const LATELY: Duration = Duration::from_millis(400);
        let from = self.origin.elapsed().saturating_sub(LATELY);
        self.since(from, LATELY).values().all(|level| level.answered == 0)
    }

    /// The silences since `from` in which nothing was answered, by their lengths.
    pub(super) fn silences_since(&self, from: Duration) -> Vec<Duration> {
        let mut answers = Vec::new();
        for log in &self.logs {
            log.visit(from, |seen| match seen {
                ProbeSeen::Ended(probe) if probe.outcome != ProbeOutcome::TimedOut => {
                    answers.push((probe.due + probe.sent_after, probe.due + probe.latency));
                }
                _ => {}
            });
        }
        answers.retain(|(_, came)| *came >= from);
        silences(answers).into_iter().map(|(_, length)| length).collect()
    }

    /// Whether nothing listened any more at some time since `from`: the connection that is kept was lost, and its
    /// successor refused. A server that is only full keeps the one, or lets the other wait.
    pub(super) fn refused(&self, from: Duration) -> bool {
        let mut refused = false;
        for log in self.kept() {
            log.visit(from, |seen| {
                let ProbeSeen::Ended(probe) = seen else { return };
                refused |= probe.due >= from && probe.outcome == ProbeOutcome::Failed(REFUSED);
            });
        }
        refused
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

    /// Stops, without waiting for the answers that are still out, and returns what each kind has seen.
    pub(super) fn stop(self) -> Vec<Arc<ProbeLog>> {
        drop(self.prober);
        self.logs
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
    limit: Duration,
    log: Arc<ProbeLog>,
    opened: Arc<AtomicU64>,
) {
    let mut next = Instant::now();
    loop {
        sleep_until(next.into()).await;
        let due = origin.elapsed();
        log.begin(due);
        let answer = timeout(limit, connection.get(&log.kind.path)).await;
        let (outcome, latency) = match answer {
            Ok(Ok(status)) if log.kind.takes(status) => (ProbeOutcome::Ok, origin.elapsed().saturating_sub(due)),
            Ok(Ok(status)) => (ProbeOutcome::Refused(status), origin.elapsed().saturating_sub(due)),
            Ok(Err(error)) if error.is_own_limit() => (ProbeOutcome::NotSent, Duration::ZERO),
            Ok(Err(error)) => (ProbeOutcome::Failed(error.cause()), origin.elapsed().saturating_sub(due)),
            Err(_) => (ProbeOutcome::TimedOut, limit),
        };
        opened.store(connection.opened(), Relaxed);
        log.end(ProbeRecord { due, sent_after: Duration::ZERO, latency, outcome, field_value: None });
        next = (next + KEPT_INTERVAL).max(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The event loops that the probes of each kind meet within a second, of a server that gives connections to one after
    /// another.
    fn met(kinds: usize, loops: usize) -> Vec<std::collections::BTreeSet<usize>> {
        let mut due: Vec<(f64, usize)> = (0..kinds)
            .flat_map(|kind| (0..RATES[kind] as u32).map(move |tick| (f64::from(tick) / RATES[kind], kind)))
            .collect();
        due.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut met = vec![std::collections::BTreeSet::new(); kinds];
        due.iter().enumerate().for_each(|(number, (_, kind))| _ = met[*kind].insert(number % loops));
        met
    }

    #[test]
    fn no_kind_of_probe_always_meets_the_same_event_loop() {
        for (kinds, loops) in [(2, 2), (2, 3), (2, 4), (2, 8), (3, 2), (3, 3), (3, 4), (3, 6), (3, 8)] {
            let met = met(kinds, loops);
            assert!(met.iter().all(|loops| loops.len() >= 2), "{kinds} kinds, {loops} loops: {met:?}");
        }
    }
}
