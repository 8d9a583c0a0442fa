//! The log of a set of streams.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::StreamEnd;
use super::stream_tally::StreamTally;
use super::token_times::TokenTimes;
use crate::result::StreamStats;

/// Counts of a set of streams, shared by all of them.
#[derive(Debug, Default)]
pub struct StreamLog {
    /// A larger set that includes these streams.
    total: Option<Arc<StreamLog>>,
    active: AtomicU64,
    peak_active: AtomicU64,
    chunks: AtomicU64,
    tally: Mutex<StreamTally>,
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

    /// Tokens received so far.
    #[must_use]
    pub fn chunks(&self) -> u64 {
        self.chunks.load(Relaxed)
    }

    /// Counts a stream that is sent now and was due at `due`.
    pub fn begin(self: &Arc<Self>, due: Instant) -> StreamGuard {
        self.each(|log| {
            let active = log.active.fetch_add(1, Relaxed) + 1;
            log.peak_active.fetch_max(active, Relaxed);
        });
        let gaps = Vec::with_capacity(StreamGuard::GAPS_HELD);
        StreamGuard { log: self.clone(), due, times: TokenTimes::sent(Instant::now()), gaps, end: StreamEnd::StillOpen }
    }

    /// The figures, with rates over `elapsed`.
    #[must_use]
    pub fn stats(&self, elapsed: Duration) -> StreamStats {
        let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        StreamStats {
            peak_active: self.peak_active.load(Relaxed),
            chunks: self.chunks(),
            chunks_per_second: self.chunks() as f64 / elapsed.as_secs_f64().max(0.001),
            ..tally.stats()
        }
    }

    /// Applies `count` to this set and the larger ones that include it.
    fn each(&self, count: impl Fn(&StreamLog)) {
        let mut log = Some(self);
        while let Some(this) = log {
            count(this);
            log = this.total.as_deref();
        }
    }

    fn update(&self, count: impl Fn(&mut StreamTally)) {
        self.each(|log| count(&mut log.tally.lock().unwrap_or_else(PoisonError::into_inner)));
    }
}

/// One open stream. Dropped without [`StreamGuard::end`], it counts as still open at the end.
#[derive(Debug)]
pub struct StreamGuard {
    log: Arc<StreamLog>,
    due: Instant,
    times: TokenTimes,
    /// Gaps not yet in the shared histogram, which is locked once for several tokens.
    gaps: Vec<Duration>,
    end: StreamEnd,
}

impl StreamGuard {
    const GAPS_HELD: usize = 16;

    /// Counts the head of the answer.
    pub fn answered(&self, status: u16, method: Option<&str>) {
        self.log.update(|tally| tally.answered(status, method));
    }

    /// Whether an example of an answer for this end is still missing: one per cause is kept.
    #[must_use]
    pub fn wants_answer(&self, ended: StreamEnd) -> bool {
        let tally = self.log.tally.lock().unwrap_or_else(PoisonError::into_inner);
        ended.failure().is_some_and(|cause| !tally.failure_answers.contains_key(&cause))
    }

    /// Keeps `answer` as the example for this end.
    pub fn keep_answer(&self, ended: StreamEnd, answer: &str) {
        let Some(cause) = ended.failure() else { return };
        self.log.update(|tally| {
            tally.failure_answers.entry(cause.clone()).or_insert_with(|| answer.to_owned());
        });
    }

    /// Whether there was a token.
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.times.has_token()
    }

    /// Counts a token that arrived now.
    pub fn token(&mut self) {
        let now = Instant::now();
        self.log.each(|log| {
            log.chunks.fetch_add(1, Relaxed);
        });
        match self.times.token(now) {
            Some(before) => self.gaps.push(now - before),
            None => self.log.update(|tally| {
                tally.first_token_from_due.record(now - self.due);
                tally.first_token_from_sent.record(now - self.times.requested());
            }),
        }
        if self.gaps.len() == Self::GAPS_HELD {
            self.record_gaps();
        }
    }

    fn record_gaps(&mut self) {
        self.log.update(|tally| self.gaps.iter().for_each(|gap| tally.inter_token.record(*gap)));
        self.gaps.clear();
    }

    /// Counts the stream's end.
    pub fn end(mut self, end: StreamEnd) {
        self.end = end;
    }
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        let now = Instant::now();
        self.record_gaps();
        self.log.each(|log| {
            log.active.fetch_sub(1, Relaxed);
        });
        self.log.update(|tally| tally.count(self.end, &self.times, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_is_counted_once() {
        let log = Arc::new(StreamLog::default());
        let now = Instant::now();
        let mut whole = log.begin(now);
        (0..40).for_each(|_| whole.token());
        let dropped = log.begin(now);
        let refused = log.begin(now);
        assert_eq!(log.active(), 3);
        whole.end(StreamEnd::Completed);
        refused.end(StreamEnd::Refused(429));
        drop(dropped);
        let stats = log.stats(Duration::from_secs(2));
        assert_eq!((stats.requested, stats.completed, stats.failed, stats.disconnected), (3, 1, 1, 1));
        assert_eq!(stats.requested, stats.completed + stats.failed + stats.truncated + stats.disconnected);
        assert_eq!((stats.chunks, stats.chunks_per_second, stats.without_token), (40, 20.0, 2));
        assert_eq!((stats.peak_active, log.active()), (3, 0));
    }

    #[test]
    fn a_part_counts_in_its_total_too() {
        let whole = Arc::new(StreamLog::default());
        let parts = [(); 2].map(|()| Arc::new(StreamLog::part_of(whole.clone())));
        let mut first = parts[0].begin(Instant::now());
        let second = parts[1].begin(Instant::now());
        first.answered(200, Some("async"));
        first.token();
        second.answered(502, None);
        assert_eq!((whole.active(), parts[0].active()), (2, 1));
        first.end(StreamEnd::Completed);
        second.end(StreamEnd::Refused(502));
        let (all, one) = (whole.stats(Duration::from_secs(1)), parts[0].stats(Duration::from_secs(1)));
        assert_eq!((all.requested, all.peak_active, all.completed, all.failed, all.chunks), (2, 2, 1, 1, 1));
        assert_eq!((one.requested, one.peak_active, one.completed, one.failed, one.chunks), (1, 1, 1, 0, 1));
        assert_eq!((all.by_status.len(), all.by_method.get("async"), one.by_status.len()), (2, Some(&1), 1));
    }
}
