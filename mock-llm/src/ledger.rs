//! Counts what the ledger reports.

mod guards;
mod recent;
mod request_ids;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wire::ledger::{Ledger, REQUEST_IDS_MAX, TIMES_MAX};

use crate::faults::Fault;
use recent::Recent;
use request_ids::RequestIds;

pub(crate) use guards::{GenerationGuard, RequestGuard};

/// The counts of the ledger.
///
/// Those in the equation `started = completed + cancelled + failed + active` change under one lock, so that it holds
/// at every read. The lock is taken a few times per request. Token counts are not part of the equation: they are
/// atomics, so that a token takes no lock.
#[derive(Debug, Default)]
pub(crate) struct LedgerCounters {
    counts: Mutex<Counts>,
    tokens_sent: AtomicU64,
    tokens_after_disconnect: AtomicU64,
    connections_opened: AtomicU64,
    client_connections: AtomicU64,
}

#[derive(Debug, Default)]
struct Counts {
    active: u64,
    waiting: u64,
    peak_active: u64,
    started: u64,
    retried: u64,
    completed: u64,
    completed_by_limit: u64,
    cancelled: u64,
    failed: u64,
    refused: u64,
    prompt_tokens: u64,
    by_status: BTreeMap<u16, u64>,
    unanswered: u64,
    faults: BTreeMap<&'static str, u64>,
    early: u64,
    starts: Recent<f64, TIMES_MAX>,
    retries: Recent<f64, TIMES_MAX>,
    refusals: Recent<f64, TIMES_MAX>,
    ids: RequestIds<REQUEST_IDS_MAX>,
}

impl LedgerCounters {
    /// Counts a generation that starts now, for the client's `request_id` if it sent one. Returns how many have
    /// started for that id, this one included.
    fn generation_started(&self, request_id: Option<&str>, prompt_tokens: u64) -> u64 {
        let mut counts = self.lock();
        counts.started += 1;
        counts.active += 1;
        counts.peak_active = counts.peak_active.max(counts.active);
        counts.prompt_tokens += prompt_tokens;
        let now = unix_milliseconds();
        counts.starts.push(now);
        let Some(request) = request_id.map(|id| counts.ids.request(id)) else { return 1 };
        request.started += 1;
        let (attempt, is_early) = (request.started, request.comes(Instant::now()));
        if attempt > 1 {
            counts.retried += 1;
            counts.retries.push(now);
        }
        counts.early += u64::from(is_early);
        attempt
    }

    /// Counts a request that a quota rejects, with this `Retry-After` if it will ever be admitted.
    pub(crate) fn refused(&self, request_id: Option<&str>, retry_after: Option<Duration>) {
        let mut counts = self.lock();
        counts.refused += 1;
        counts.refusals.push(unix_milliseconds());
        let Some(request) = request_id.map(|id| counts.ids.request(id)) else { return };
        request.refused += 1;
        let is_early = request.comes(Instant::now());
        request.wait_for(retry_after);
        counts.early += u64::from(is_early);
    }

    /// Records that a fault answers a request with this `Retry-After`.
    pub(crate) fn asked_to_wait(&self, request_id: Option<&str>, retry_after: Duration) {
        let Some(id) = request_id else { return };
        self.lock().ids.request(id).wait_for(Some(retry_after));
    }

    pub(crate) fn count_faults(&self, faults: impl Iterator<Item = Fault>) {
        let mut counts = self.lock();
        for fault in faults {
            *counts.faults.entry(fault.name()).or_default() += 1;
        }
    }

    pub(crate) fn connection_opened(&self) {
        self.connections_opened.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a connection on which a client sends its first request.
    pub(crate) fn connection_used(&self) {
        self.client_connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn tokens_sent(&self, tokens: usize) {
        self.tokens_sent.fetch_add(tokens as u64, Ordering::Relaxed);
    }

    pub(crate) fn tokens_after_disconnect(&self, tokens: usize) {
        self.tokens_after_disconnect.fetch_add(tokens as u64, Ordering::Relaxed);
    }

    /// Resets all counts. Active generations count as started now.
    pub(crate) fn reset(&self) {
        let mut counts = self.lock();
        let Counts { active, waiting, .. } = *counts;
        *counts = Counts { active, waiting, peak_active: active, started: active, ..Counts::default() };
        let connections = [&self.connections_opened, &self.client_connections];
        for count in [&self.tokens_sent, &self.tokens_after_disconnect].into_iter().chain(connections) {
            count.store(0, Ordering::Relaxed);
        }
    }

    /// The ledger at this moment, with the newest `recent` entries of each list.
    pub(crate) fn snapshot(&self, recent: usize) -> Ledger {
        let counts = self.lock();
        Ledger {
            active: counts.active,
            peak_active: counts.peak_active,
            waiting: counts.waiting,
            started: counts.started,
            retried: counts.retried,
            completed: counts.completed,
            completed_by_limit: counts.completed_by_limit,
            cancelled: counts.cancelled,
            failed: counts.failed,
            refused: counts.refused,
            tokens_sent: self.tokens_sent.load(Ordering::Relaxed),
            tokens_after_disconnect: self.tokens_after_disconnect.load(Ordering::Relaxed),
            prompt_tokens: counts.prompt_tokens,
            connections_opened: self.connections_opened.load(Ordering::Relaxed),
            client_connections: self.client_connections.load(Ordering::Relaxed),
            requests_by_status: counts.by_status.iter().map(|(status, count)| (status.to_string(), *count)).collect(),
            unanswered: counts.unanswered,
            faults: counts.faults.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            starts: counts.starts.newest(recent).copied().collect(),
            retries: counts.retries.newest(recent).copied().collect(),
            refusals: counts.refusals.newest(recent).copied().collect(),
            attempts_by_request_id: counts.ids.newest(recent, |request| Some(request.started)),
            refused_by_request_id: counts.ids.newest(recent, |request| positive(request.refused)),
            early: counts.early,
            early_by_request_id: counts.ids.newest(recent, |request| positive(request.early)),
        }
    }

    /// No code panics while it holds the lock, and a count that is off by one would not justify a panic.
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn positive(count: u64) -> Option<u64> {
    (count > 0).then_some(count)
}

fn unix_milliseconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1000.0)
}
