use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use wire::ledger::Ledger;

/// Most start times that are remembered.
const STARTS_MAX: usize = 100_000;
/// Most request ids that are remembered.
const REQUEST_IDS_MAX: usize = 10_000;

/// Writes the ledger.
///
/// What is in the equation `started = completed + cancelled + failed + active` changes under one
/// lock, so that it holds at every read. The lock is taken a few times a request. Token counts are
/// not in the equation: they are atomics, so that a token takes no lock.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    counts: Mutex<Counts>,
    tokens_sent: AtomicU64,
    connections_opened: AtomicU64,
}

#[derive(Debug, Default)]
struct Counts {
    active: u64,
    peak_active: u64,
    started: u64,
    completed: u64,
    cancelled: u64,
    by_status: BTreeMap<u16, u64>,
    starts: VecDeque<f64>,
    attempts: HashMap<String, u64>,
    /// The keys of `attempts`, oldest first.
    ids: VecDeque<String>,
}

/// A generation under way. Dropped without a word, its client has left.
#[derive(Debug)]
pub(crate) struct Entry {
    recorder: Arc<Recorder>,
    settled: bool,
}

impl Recorder {
    /// Enters a generation that begins now, for the client's `request_id` if it sent one.
    pub(crate) fn start(self: &Arc<Self>, request_id: Option<&str>) -> Entry {
        let mut counts = self.lock();
        counts.started += 1;
        counts.active += 1;
        counts.peak_active = counts.peak_active.max(counts.active);
        push_bounded(&mut counts.starts, unix_milliseconds(), STARTS_MAX);
        if let Some(id) = request_id {
            counts.attempt(id);
        }
        Entry { recorder: Arc::clone(self), settled: false }
    }

    pub(crate) fn connection_opened(&self) {
        self.connections_opened.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn answered(&self, status: u16) {
        *self.lock().by_status.entry(status).or_default() += 1;
    }

    pub(crate) fn tokens_sent(&self, tokens: u64) {
        self.tokens_sent.fetch_add(tokens, Ordering::Relaxed);
    }

    /// Forgets all but the generations that are under way: they count as started now.
    pub(crate) fn reset(&self) {
        let mut counts = self.lock();
        let active = counts.active;
        *counts = Counts { active, peak_active: active, started: active, ..Counts::default() };
        self.tokens_sent.store(0, Ordering::Relaxed);
        self.connections_opened.store(0, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Ledger {
        let counts = self.lock();
        Ledger {
            active: counts.active,
            peak_active: counts.peak_active,
            started: counts.started,
            completed: counts.completed,
            cancelled: counts.cancelled,
            failed: 0,
            tokens_sent: self.tokens_sent.load(Ordering::Relaxed),
            tokens_after_disconnect: 0,
            connections_opened: self.connections_opened.load(Ordering::Relaxed),
            requests_by_status: counts.by_status.iter().map(|(status, count)| (status.to_string(), *count)).collect(),
            starts: counts.starts.iter().copied().collect(),
            attempts_by_request_id: counts.attempts.iter().map(|(id, count)| (id.clone(), *count)).collect(),
        }
    }

    /// No code panics while it holds the lock, and a count that is one off would be no reason to stop.
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn attempt(&mut self, id: &str) {
        if let Some(attempts) = self.attempts.get_mut(id) {
            *attempts += 1;
            return;
        }
        if let Some(forgotten) = push_bounded(&mut self.ids, id.to_owned(), REQUEST_IDS_MAX) {
            self.attempts.remove(&forgotten);
        }
        self.attempts.insert(id.to_owned(), 1);
    }
}

impl Entry {
    /// The answer is whole: its last byte was handed to the socket.
    pub(crate) fn complete(&mut self) {
        self.settle(|counts| &mut counts.completed);
    }

    fn settle(&mut self, outcome: impl FnOnce(&mut Counts) -> &mut u64) {
        if !std::mem::replace(&mut self.settled, true) {
            let mut counts = self.recorder.lock();
            counts.active -= 1;
            *outcome(&mut counts) += 1;
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.settle(|counts| &mut counts.cancelled);
    }
}

/// Appends to a queue that forgets its oldest beyond `max`, and returns what it forgot.
fn push_bounded<T>(queue: &mut VecDeque<T>, value: T, max: usize) -> Option<T> {
    let forgotten = if queue.len() == max { queue.pop_front() } else { None };
    queue.push_back(value);
    forgotten
}

fn unix_milliseconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1000.0)
}
