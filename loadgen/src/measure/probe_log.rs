use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Latencies, ProbeKind};
use crate::result::ProbeStats;

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
    /// What its answer said, where the kind asks for a field of it.
    pub says: Option<Arc<str>>,
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
    pub(super) fn new(kind: ProbeKind) -> Self {
        ProbeLog { kind, records: Mutex::default(), waiting: Mutex::default() }
    }

    /// The probes that were due in `[from, to)` and have ended.
    #[must_use]
    pub fn due_between(&self, from: Duration, to: Duration) -> Vec<ProbeRecord> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().filter(|record| (from..to).contains(&record.due)).cloned().collect()
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
        let mut says = BTreeMap::new();
        for said in records.iter().filter_map(|record| record.says.as_deref()) {
            *says.entry(said.to_owned()).or_default() += 1;
        }
        ProbeStats {
            says,
            sent: records.len() as u64,
            ok: count(ProbeOutcome::Ok),
            failed: count(ProbeOutcome::Failed),
            timed_out: count(ProbeOutcome::TimedOut),
            latency_ms: from_due.quantiles(),
            latency_from_sent_ms: from_sent.quantiles(),
        }
    }

    pub(super) fn begin(&self, due: Duration) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(due);
    }

    pub(super) fn end(&self, record: ProbeRecord) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = waiting.iter().position(|due| *due == record.due) {
            waiting.swap_remove(index);
        }
        self.records.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }
}
