//! The log of the probes of one kind.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Latencies, ProbeKind};
use crate::result::{Histograms, ProbeStats};

/// One probe.
#[derive(Debug, Clone)]
pub struct ProbeRecord {
    /// When it was due, since the start of the run.
    pub due: Duration,
    /// How much later it was sent.
    pub sent_after: Duration,
    /// From when it was due to its end.
    pub latency: Duration,
    /// How it ended.
    pub outcome: ProbeOutcome,
    /// The value of the JSON field, if the kind records one.
    pub field_value: Option<Arc<str>>,
}

/// How a probe ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// Answered 2xx, completely and in time.
    Ok,
    /// Answered with another status.
    Refused(u16),
    /// No complete answer, for this cause.
    Failed(&'static str),
    /// No answer in time.
    TimedOut,
    /// The generator had no descriptor or port for it.
    NotSent,
}

impl ProbeOutcome {
    /// The cause by which failures are counted.
    #[must_use]
    pub fn failure(self) -> Option<String> {
        match self {
            ProbeOutcome::Refused(status) => Some(format!("status {status}")),
            ProbeOutcome::Failed(cause) => Some(cause.to_owned()),
            _ => None,
        }
    }
}

/// A probe, as [`ProbeLog::visit`] shows it.
#[derive(Debug, Clone, Copy)]
pub enum ProbeSeen<'a> {
    /// It has ended.
    Ended(&'a ProbeRecord),
    /// It has no answer yet, and was due then.
    Waiting(Duration),
}

/// All probes of one kind at one server.
#[derive(Debug)]
pub struct ProbeLog {
    /// The kind.
    pub kind: ProbeKind,
    /// A log that includes these probes.
    total: Option<Arc<ProbeLog>>,
    records: Mutex<Vec<ProbeRecord>>,
    /// When each probe without an answer was due.
    waiting: Mutex<Vec<Duration>>,
}

impl ProbeLog {
    /// No probe yet.
    #[must_use]
    pub(crate) fn new(kind: ProbeKind) -> Self {
        ProbeLog { kind, total: None, records: Mutex::default(), waiting: Mutex::default() }
    }

    /// No probe yet; they will be in `total` too.
    #[must_use]
    pub(crate) fn part_of(total: Arc<ProbeLog>) -> Self {
        ProbeLog { total: Some(total.clone()), ..ProbeLog::new(total.kind.clone()) }
    }

    /// Shows `visit` each probe without an answer, and each that ended at `from` or later, which includes all that were
    /// due since; all of them at one instant. Its cost does not depend on what is before `from`.
    pub fn visit(&self, from: Duration, mut visit: impl FnMut(ProbeSeen<'_>)) {
        // Probes are recorded in the order of their ends, except on a machine too busy to record a time-out in time.
        const MARGIN: Duration = Duration::from_secs(1);
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.iter().for_each(|due| visit(ProbeSeen::Waiting(*due)));
        let ended_since = |record: &&ProbeRecord| record.due + record.latency + MARGIN >= from;
        records.iter().rev().take_while(ended_since).for_each(|record| visit(ProbeSeen::Ended(record)));
    }

    /// The probes that were due in `[from, to)` and have ended.
    #[must_use]
    pub fn due_between(&self, from: Duration, to: Duration) -> Vec<ProbeRecord> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().filter(|record| (from..to).contains(&record.due)).cloned().collect()
    }

    /// Drops the probes that were due before `before`.
    pub fn forget(&self, before: Duration) {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).retain(|record| record.due >= before);
    }

    /// How long the oldest probe without an answer has been waiting at `now`.
    #[must_use]
    pub fn longest_wait(&self, now: Duration) -> Option<Duration> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.iter().min().map(|due| now.saturating_sub(*due))
    }

    /// The figures of the probes that were due in `[from, to)`.
    #[must_use]
    pub fn stats(&self, from: Duration, to: Duration) -> ProbeStats {
        let mut records = self.due_between(from, to);
        let due = records.len();
        records.retain(|record| record.outcome != ProbeOutcome::NotSent);
        let sent = records.len() as u64;
        let count = |outcome| records.iter().filter(|record| record.outcome == outcome).count() as u64;
        let mut failures = BTreeMap::new();
        for failure in records.iter().filter_map(|record| record.outcome.failure()) {
            *failures.entry(failure).or_default() += 1;
        }
        let mut field_values = BTreeMap::new();
        for value in records.iter().filter_map(|record| record.field_value.as_deref()) {
            *field_values.entry(value.to_owned()).or_default() += 1;
        }
        let (from_due, from_sent) = latencies(&records);
        ProbeStats {
            field_values,
            sent,
            ok: count(ProbeOutcome::Ok),
            failed: failures.values().sum(),
            timed_out: count(ProbeOutcome::TimedOut),
            not_sent: due as u64 - sent,
            failures,
            latency_ms: from_due.quantiles_among(sent),
            latency_from_sent_ms: from_sent.quantiles_among(sent),
            distribution: from_due.slower_half_among(sent),
            histograms: Histograms::new(),
        }
    }

    /// The histograms of the latencies of these probes.
    #[must_use]
    pub fn histograms(&self, from: Duration, to: Duration) -> Histograms {
        let mut records = self.due_between(from, to);
        records.retain(|record| record.outcome != ProbeOutcome::NotSent);
        let (from_due, from_sent) = latencies(&records);
        Latencies::histograms([("latency_ms", &from_due), ("latency_from_sent_ms", &from_sent)])
    }

    /// A probe is due at `due`.
    pub(crate) fn begin(&self, due: Duration) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(due);
        self.total.iter().for_each(|total| total.begin(due));
    }

    /// A probe has ended.
    pub(crate) fn end(&self, record: ProbeRecord) {
        self.total.iter().for_each(|total| total.end(record.clone()));
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = waiting.iter().position(|due| *due == record.due) {
            waiting.swap_remove(index);
        }
        self.records.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }
}

/// The latencies of those that have one, from when they were due and from when they were sent.
fn latencies(records: &[ProbeRecord]) -> (Latencies, Latencies) {
    let timed = || records.iter().filter(|record| record.outcome.failure().is_none());
    let from_sent = |record: &ProbeRecord| record.latency.saturating_sub(record.sent_after);
    (timed().map(|record| record.latency).collect(), timed().map(from_sent).collect())
}

/// The figures of each kind of probe that was due in `[from, to)`.
#[must_use]
pub fn probe_stats(probes: &[Arc<ProbeLog>], from: Duration, to: Duration) -> BTreeMap<String, ProbeStats> {
    probes.iter().map(|log| (log.kind.name.clone(), log.stats(from, to))).collect()
}
