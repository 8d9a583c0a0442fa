//! The log of a set of streams, or of calls with a whole answer.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::stream_tally::StreamTally;
use crate::result::{RequestObjective, StepResult, StreamStats};

/// Counts of a set of streams, shared by all of them.
#[derive(Debug, Default)]
pub struct StreamLog {
    /// A larger set that includes these streams.
    total: Option<Arc<StreamLog>>,
    active: AtomicU64,
    peak_active: AtomicU64,
    dropped: AtomicU64,
    chunks: AtomicU64,
    tokens: AtomicU64,
    bytes: AtomicU64,
    pub(super) tally: Mutex<StreamTally>,
}

impl StreamLog {
    /// A set whose streams also count in `total`.
    #[must_use]
    pub fn part_of(total: Arc<StreamLog>) -> Self {
        StreamLog { total: Some(total), ..StreamLog::default() }
    }

    /// Streams open now.
    #[must_use]
    pub fn active(&self) -> u64 {
        self.active.load(Relaxed)
    }

    /// Tokens received so far; of a whole answer, its first piece.
    #[must_use]
    pub fn chunks(&self) -> u64 {
        self.chunks.load(Relaxed)
    }

    /// Tokens received so far; of a whole answer, those generated for it, once it is complete.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.tokens.load(Relaxed)
    }

    /// Streams that have ended.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.tally().ended()
    }

    /// Streams that were completed.
    #[must_use]
    pub fn completed(&self) -> u64 {
        self.tally().completed()
    }

    /// Streams that have failed or were truncated.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.tally().lost()
    }

    /// Drops what is kept of each stream that ended before `before`, so that a run without an end needs bounded memory.
    /// Rates over earlier times and stalled streams are then no longer known; the counts stay.
    pub fn forget(&self, before: Instant) {
        self.tally().forget(before);
    }

    /// Requires this of each of its streams. Must be called before the first of them.
    pub fn require(&self, objectives: Vec<RequestObjective>) {
        self.tally().require(objectives);
    }

    fn tally(&self) -> MutexGuard<'_, StreamTally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a step of a sequence, for this set alone.
    pub fn step(&self, step: StepResult) {
        self.tally().steps.push(step);
    }

    /// The figures, with rates over `elapsed`.
    #[must_use]
    pub fn stats(&self, elapsed: Duration) -> StreamStats {
        let mut stats = StreamStats {
            peak_active: self.peak_active.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            chunks: self.chunks(),
            tokens: self.tokens(),
            bytes: self.bytes.load(Relaxed),
            ..self.tally().stats()
        };
        stats.set_rates(elapsed.as_secs_f64());
        stats
    }

    /// The same, with the histograms of all latencies.
    #[must_use]
    pub fn stats_with_histograms(&self, elapsed: Duration) -> StreamStats {
        let histograms = self.tally().histograms();
        StreamStats { histograms, ..self.stats(elapsed) }
    }

    /// Streams completed per second in `[from, to)`.
    #[must_use]
    pub fn completed_per_second(&self, from: Instant, to: Instant) -> f64 {
        self.tally().completed_between(from, to) as f64 / (to - from).as_secs_f64().max(0.001)
    }

    /// Counts a request that was due and is not sent.
    pub fn drop_one(&self) {
        self.each(|log| _ = log.dropped.fetch_add(1, Relaxed));
    }

    /// The peak number of open streams, from now on.
    pub fn restart_peak(&self) {
        self.peak_active.store(self.active(), Relaxed);
    }

    /// The peak number of open streams.
    #[must_use]
    pub fn peak_active(&self) -> u64 {
        self.peak_active.load(Relaxed)
    }

    pub(super) fn begin_one(&self) {
        self.each(|log| {
            let active = log.active.fetch_add(1, Relaxed) + 1;
            log.peak_active.fetch_max(active, Relaxed);
        });
    }

    pub(super) fn end_one(&self) {
        self.each(|log| _ = log.active.fetch_sub(1, Relaxed));
    }

    /// Adds a chunk with this many tokens.
    pub(super) fn add_chunk(&self, tokens: u64) {
        self.each(|log| {
            log.chunks.fetch_add(1, Relaxed);
            log.tokens.fetch_add(tokens, Relaxed);
        });
    }

    pub(super) fn add_tokens(&self, tokens: u64) {
        self.each(|log| _ = log.tokens.fetch_add(tokens, Relaxed));
    }

    pub(super) fn add_bytes(&self, bytes: u64) {
        self.each(|log| _ = log.bytes.fetch_add(bytes, Relaxed));
    }

    pub(super) fn update(&self, count: impl Fn(&mut StreamTally)) {
        self.each(|log| count(&mut log.tally()));
    }

    /// Applies `count` to this set and the larger ones that include it.
    fn each(&self, count: impl Fn(&StreamLog)) {
        let mut log = Some(self);
        while let Some(this) = log {
            count(this);
            log = this.total.as_deref();
        }
    }
}
