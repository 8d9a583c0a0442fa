//! Counts of streams that have ended.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::ended::Ended;
use super::objective_tally::ObjectiveTally;
use super::token_times::is_stalled;
use super::{Latencies, StreamEnd};
use crate::result::{Histograms, RequestObjective, StepResult, StreamStats};

/// A first token after this counts as late.
const FIRST_TOKEN_LATE: Duration = Duration::from_secs(1);

/// Values that a server chooses, such as an `X-Stream-Method`, that are counted separately: it may send any.
const VALUES_MAX: usize = 16;

/// Where the others are counted.
const OTHERS: &str = "others";

/// Counts of the streams of a set that have ended.
#[derive(Debug, Default)]
pub(super) struct StreamTally {
    requested: u64,
    completed: u64,
    /// When each completed stream ended, in order.
    completed_at: VecDeque<Instant>,
    taken_as_complete: u64,
    truncated: u64,
    disconnected: u64,
    stopped_reading: u64,
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
    formats: BTreeMap<&'static str, u64>,
    errors_by_type: BTreeMap<String, u64>,
    errors_by_code: BTreeMap<String, u64>,
    texts: BTreeMap<String, u64>,
    pub(super) retry_after: Latencies,
    latency_from_due: Latencies,
    latency_from_sent: Latencies,
    rejection_latency: Latencies,
    pub(super) steps: Vec<StepResult>,
    pub(super) first_token_from_due: Latencies,
    pub(super) first_token_from_sent: Latencies,
    pub(super) inter_token: Latencies,
    time_per_token: Latencies,
    objectives: ObjectiveTally,
}

impl StreamTally {
    /// Requires this of each request from now on.
    pub(super) fn require(&mut self, objectives: Vec<RequestObjective>) {
        self.objectives = ObjectiveTally::new(objectives);
    }

    /// Counts the head of an answer.
    pub(super) fn answered(&mut self, status: u16, method: Option<&str>) {
        *self.by_status.entry(status.to_string()).or_default() += 1;
        if let Some(method) = method {
            count_value(&mut self.by_method, method);
        }
    }

    /// Counts an error by its type and its code.
    pub(super) fn error(&mut self, kind: Option<&str>, code: Option<&str>) {
        kind.into_iter().for_each(|kind| count_value(&mut self.errors_by_type, kind));
        code.into_iter().for_each(|code| count_value(&mut self.errors_by_code, code));
    }

    /// Counts a stream that has ended.
    pub(super) fn count(&mut self, ended: &Ended<'_>) {
        let Ended { end, now, due, times, stopped_reading, format, text } = *ended;
        format.into_iter().for_each(|format| *self.formats.entry(format).or_default() += 1);
        self.requested += 1;
        self.without_token += u64::from(!times.has_token());
        self.taken_as_complete += u64::from(end == StreamEnd::TakenAsComplete);
        self.without_done += u64::from(end == StreamEnd::CompletedWithoutDone);
        self.truncated += u64::from(end == StreamEnd::Truncated);
        self.disconnected += u64::from(matches!(end, StreamEnd::Disconnected | StreamEnd::StillOpen));
        self.stopped_reading += u64::from(stopped_reading);
        if let Some(cause) = end.failure() {
            *self.failures.entry(cause).or_default() += 1;
        }
        match end {
            StreamEnd::Refused(_) => self.rejection_latency.record(now - due),
            // A client that has stopped to read cannot tell whether its stream has stalled.
            StreamEnd::StillOpen if !stopped_reading => match times.is_silent(now) {
                Some(silent) => self.silent += u64::from(silent),
                None => self.waited.push(now - times.requested()),
            },
            _ if end.is_completed() => {
                self.completed += 1;
                self.completed_at.push_back(now);
                self.latency_from_due.record(now - due);
                self.latency_from_sent.record(now - times.requested());
                times.mean_gap().into_iter().for_each(|gap| self.time_per_token.record(gap));
                self.objectives.completed(ended);
                text.into_iter().for_each(|text| count_value(&mut self.texts, &format!("{text:016x}")));
            }
            _ => {}
        }
    }

    /// Streams completed in `[from, to)`.
    pub(super) fn completed_between(&self, from: Instant, to: Instant) -> u64 {
        self.completed_at.iter().filter(|ended| (from..to).contains(*ended)).count() as u64
    }

    /// Streams that were completed.
    pub(super) fn completed(&self) -> u64 {
        self.completed
    }

    /// Streams that have ended.
    pub(super) fn ended(&self) -> u64 {
        self.requested
    }

    /// Streams that have failed or were truncated.
    pub(super) fn lost(&self) -> u64 {
        self.failures.values().sum::<u64>() + self.truncated
    }

    /// Drops what is kept of each stream that ended before `before`. The counts stay.
    pub(super) fn forget(&mut self, before: Instant) {
        let dropped = self.completed_at.partition_point(|ended| *ended < before);
        self.completed_at.drain(..dropped);
        self.waited.clear();
    }

    /// The figures of the ended streams.
    pub(super) fn stats(&self) -> StreamStats {
        let stalled = self.stalled();
        StreamStats {
            requested: self.requested,
            completed: self.completed,
            taken_as_complete: self.taken_as_complete,
            failed: self.failures.values().sum(),
            truncated: self.truncated,
            disconnected: self.disconnected,
            stopped_reading: self.stopped_reading,
            stalled,
            without_token: self.without_token,
            without_done: self.without_done,
            first_token_late: self.first_token_from_due.over(FIRST_TOKEN_LATE),
            failures: self.failures.clone(),
            failure_answers: self.failure_answers.clone(),
            by_status: self.by_status.clone(),
            by_method: self.by_method.clone(),
            formats: self.formats.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            errors_by_type: self.errors_by_type.clone(),
            errors_by_code: self.errors_by_code.clone(),
            with_retry_after: self.retry_after.count(),
            retry_after_ms: self.retry_after.quantiles(),
            latency_ms: self.latency_from_due.quantiles(),
            latency_from_sent_ms: self.latency_from_sent.quantiles(),
            rejection_latency_ms: self.rejection_latency.quantiles(),
            texts: self.texts.clone(),
            steps: self.steps.clone(),
            time_to_first_token_ms: self.first_token_from_due.quantiles(),
            time_to_first_token_from_sent_ms: self.first_token_from_sent.quantiles(),
            inter_token_ms: self.inter_token.quantiles(),
            time_per_token_ms: self.time_per_token.quantiles(),
            goodput: self.objectives.goodput(self.requested - self.disconnected + stalled),
            ..StreamStats::default()
        }
    }

    /// The histograms of all latencies, by the fields that their percentiles have in [`StreamStats`].
    pub(super) fn histograms(&self) -> Histograms {
        Latencies::histograms([
            ("retry_after_ms", &self.retry_after),
            ("latency_ms", &self.latency_from_due),
            ("latency_from_sent_ms", &self.latency_from_sent),
            ("rejection_latency_ms", &self.rejection_latency),
            ("time_to_first_token_ms", &self.first_token_from_due),
            ("time_to_first_token_from_sent_ms", &self.first_token_from_sent),
            ("inter_token_ms", &self.inter_token),
            ("time_per_token_ms", &self.time_per_token),
        ])
    }

    /// Streams still open at the end that had stalled.
    fn stalled(&self) -> u64 {
        let usual = Duration::from_secs_f64(self.first_token_from_sent.quantiles().p50 / 1000.0);
        self.silent + self.waited.iter().filter(|waited| is_stalled(**waited, usual)).count() as u64
    }
}

/// Counts `value`, or one of the others once there are too many.
fn count_value(counts: &mut BTreeMap<String, u64>, value: &str) {
    let known = counts.contains_key(value) || counts.len() < VALUES_MAX;
    *counts.entry(if known { value } else { OTHERS }.to_owned()).or_default() += 1;
}
