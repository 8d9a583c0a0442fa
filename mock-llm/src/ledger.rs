//! Counts what the ledger reports.

mod guards;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use wire::ledger::Ledger;

use crate::faults::Fault;

pub(crate) use guards::{GenerationGuard, RequestGuard};

/// Longest lists of start times and of rejection times.
const TIMES_MAX: usize = 100_000;
/// Most request ids stored.
const REQUEST_IDS_MAX: usize = 10_000;

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
}

#[derive(Debug, Default)]
struct Counts {
    active: u64,
    waiting: u64,
    peak_active: u64,
    started: u64,
    completed: u64,
    completed_by_limit: u64,
    cancelled: u64,
    failed: u64,
    refused: u64,
    prompt_tokens: u64,
    by_status: BTreeMap<u16, u64>,
    unanswered: u64,
    faults: BTreeMap<&'static str, u64>,
    starts: VecDeque<f64>,
    refusals: VecDeque<f64>,
    attempts: HashMap<String, u64>,
    /// The keys of `attempts`, oldest first.
    ids: VecDeque<String>,
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
        push_bounded(&mut counts.starts, unix_milliseconds(), TIMES_MAX);
        request_id.map_or(1, |id| counts.attempt(id))
    }

    pub(crate) fn refused(&self) {
        let mut counts = self.lock();
        counts.refused += 1;
        push_bounded(&mut counts.refusals, unix_milliseconds(), TIMES_MAX);
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
        for count in [&self.tokens_sent, &self.tokens_after_disconnect, &self.connections_opened] {
            count.store(0, Ordering::Relaxed);
        }
    }

    /// The ledger at this moment, with the newest `recent` entries of each list.
    pub(crate) fn snapshot(&self, recent: usize) -> Ledger {
        let counts = self.lock();
        let newest = |times: &VecDeque<f64>| times.range(times.len().saturating_sub(recent)..).copied().collect();
        let ids = counts.ids.range(counts.ids.len().saturating_sub(recent)..);
        Ledger {
            active: counts.active,
            peak_active: counts.peak_active,
            waiting: counts.waiting,
            started: counts.started,
            completed: counts.completed,
            completed_by_limit: counts.completed_by_limit,
            cancelled: counts.cancelled,
            failed: counts.failed,
            refused: counts.refused,
            tokens_sent: self.tokens_sent.load(Ordering::Relaxed),
            tokens_after_disconnect: self.tokens_after_disconnect.load(Ordering::Relaxed),
            prompt_tokens: counts.prompt_tokens,
            connections_opened: self.connections_opened.load(Ordering::Relaxed),
            requests_by_status: counts.by_status.iter().map(|(status, count)| (status.to_string(), *count)).collect(),
            unanswered: counts.unanswered,
            faults: counts.faults.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            starts: newest(&counts.starts),
            refusals: newest(&counts.refusals),
            attempts_by_request_id: ids
                .map(|id| (id.clone(), counts.attempts.get(id).copied().unwrap_or_default()))
                .collect(),
        }
    }

    /// No code panics while it holds the lock, and a count that is off by one would not justify a panic.
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// Counts an attempt of a request. Returns the number of attempts so far.
    fn attempt(&mut self, id: &str) -> u64 {
        if let Some(attempts) = self.attempts.get_mut(id) {
            *attempts += 1;
            return *attempts;
        }
        if let Some(removed) = push_bounded(&mut self.ids, id.to_owned(), REQUEST_IDS_MAX) {
            self.attempts.remove(&removed);
        }
        self.attempts.insert(id.to_owned(), 1);
        1
    }
}

/// Appends to a queue of at most `max` values. Returns the oldest if it had to be removed.
fn push_bounded<T>(queue: &mut VecDeque<T>, value: T, max: usize) -> Option<T> {
    let removed = if queue.len() == max { queue.pop_front() } else { None };
    queue.push_back(value);
    removed
}

fn unix_milliseconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1000.0)
}
