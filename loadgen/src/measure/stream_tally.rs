//! Counts of streams that have ended.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::token_times::{TokenTimes, is_stalled};
use super::{Latencies, StreamEnd};
use crate::result::StreamStats;

/// A first token after this counts as late.
const FIRST_TOKEN_LATE: Duration = Duration::from_secs(1);

/// Values of `X-Stream-Method` that are counted separately: a server may send any.
const METHODS_MAX: usize = 16;

/// Counts of the streams of a set that have ended.
#[derive(Debug, Default)]
pub(super) struct StreamTally {
    requested: u64,
    completed: u64,
    truncated: u64,
    disconnected: u64,
    /// Streams still open at the end that had tokens and went silent.
    silent: u64,
    /// How long streams still open at the end had waited for a first token.
    waited: Vec<Duration>,
    without_token: u64,
    without_done: u64,
    pub(super) failure_answers: BTreeMap<String, String>,
    failures: BTreeMap<String, u64>,
    by_status: BTreeMap<String, u64>,
    by_method: BTreeMap<String, u64>,
    pub(super) first_token_from_due: Latencies,
    pub(super) first_token_from_sent: Latencies,
    pub(super) inter_token: Latencies,
}

impl StreamTally {
    /// Counts the head of an answer.
    pub(super) fn answered(&mut self, status: u16, method: Option<&str>) {
        *self.by_status.entry(status.to_string()).or_default() += 1;
        if let Some(method) = method {
            let known = self.by_method.contains_key(method) || self.by_method.len() < METHODS_MAX;
            let method = if known { method } else { "others" };
            *self.by_method.entry(method.to_owned()).or_default() += 1;
        }
    }

    /// Counts a stream that ended at `now`.
    pub(super) fn count(&mut self, end: StreamEnd, times: &TokenTimes, now: Instant) {
        self.requested += 1;
        self.without_token += u64::from(!times.has_token());
        self.completed += u64::from(matches!(end, StreamEnd::Completed | StreamEnd::CompletedWithoutDone));
        self.without_done += u64::from(end == StreamEnd::CompletedWithoutDone);
        self.truncated += u64::from(end == StreamEnd::Truncated);
        self.disconnected += u64::from(matches!(end, StreamEnd::Disconnected | StreamEnd::StillOpen));
        if let Some(cause) = end.failure() {
            *self.failures.entry(cause).or_default() += 1;
        }
        if end == StreamEnd::StillOpen {
            match times.is_silent(now) {
                Some(silent) => self.silent += u64::from(silent),
                None => self.waited.push(now - times.requested()),
            }
        }
    }

    /// The figures of the ended streams.
    pub(super) fn stats(&self) -> StreamStats {
        StreamStats {
            requested: self.requested,
            completed: self.completed,
            failed: self.failures.values().sum(),
            truncated: self.truncated,
            disconnected: self.disconnected,
            stalled: self.stalled(),
            without_token: self.without_token,
            without_done: self.without_done,
            first_token_late: self.first_token_from_due.over(FIRST_TOKEN_LATE),
            failures: self.failures.clone(),
            failure_answers: self.failure_answers.clone(),
            by_status: self.by_status.clone(),
            by_method: self.by_method.clone(),
            time_to_first_token_ms: self.first_token_from_due.quantiles(),
            time_to_first_token_from_sent_ms: self.first_token_from_sent.quantiles(),
            inter_token_ms: self.inter_token.quantiles(),
            ..StreamStats::default()
        }
    }

    /// Streams still open at the end that had stalled.
    fn stalled(&self) -> u64 {
        let usual = Duration::from_secs_f64(self.first_token_from_sent.quantiles().p50 / 1000.0);
        self.silent + self.waited.iter().filter(|waited| is_stalled(**waited, usual)).count() as u64
    }
}
