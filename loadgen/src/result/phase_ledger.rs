//! The part of a vendor's ledger that belongs to a phase.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wire::ledger::{Ledger, REQUEST_IDS_MAX, most_within};

use super::PerRequest;

/// What a vendor saw in a phase, from its start (its ramp included) to its end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PhaseLedger {
    /// Generations started.
    pub started: u64,
    /// Of them, those that were not the first of their request id.
    pub retried: u64,
    /// Generations delivered completely.
    pub completed: u64,
    /// Generations whose client disconnected.
    pub cancelled: u64,
    /// Generations that a fault ended.
    pub failed: u64,
    /// Requests rejected by a quota.
    pub refused: u64,
    /// Requests without an answer.
    pub unanswered: u64,
    /// Answers by HTTP status.
    pub by_status: BTreeMap<String, u64>,
    /// Connections on which clients sent their first request.
    pub connections: u64,
    /// Tokens handed to the socket.
    pub tokens_sent: u64,
    /// Tokens generated for clients that had disconnected.
    pub tokens_after_disconnect: u64,
    /// Prompt tokens of the generations started.
    pub prompt_tokens: u64,
    /// Requests that came before the end of the `Retry-After` that their request id had been answered with.
    pub early: u64,
    /// When the generations started, in milliseconds after the first of them; absent if the ledger no longer had
    /// all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_ms: Option<Vec<f64>>,
    /// The same of those that were retried, after the first of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries_ms: Option<Vec<f64>>,
    /// Attempts a request id, started or refused; absent if the ledger no longer had all ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<PerRequest>,
    /// Early requests a request id, of the same ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_attempts: Option<PerRequest>,
}

impl PhaseLedger {
    /// The phase of this part of a ledger. `has_all_ids`: the ledger has dropped none.
    #[must_use]
    pub fn new(ledger: &Ledger, has_all_ids: bool) -> Self {
        let by_id = has_all_ids.then(|| AttemptsById::of(ledger));
        PhaseLedger {
            started: ledger.started,
            retried: ledger.retried,
            completed: ledger.completed,
            cancelled: ledger.cancelled,
            failed: ledger.failed,
            refused: ledger.refused,
            unanswered: ledger.unanswered,
            by_status: ledger.requests_by_status.clone(),
            connections: ledger.client_connections,
            tokens_sent: ledger.tokens_sent,
            tokens_after_disconnect: ledger.tokens_after_disconnect,
            prompt_tokens: ledger.prompt_tokens,
            early: ledger.early,
            starts_ms: after_the_first(&ledger.starts, ledger.started),
            retries_ms: after_the_first(&ledger.retries, ledger.retried),
            attempts: by_id.as_ref().map(|by_id| PerRequest::of(by_id.0.values().map(|(attempts, _)| *attempts))),
            early_attempts: by_id.as_ref().map(|by_id| PerRequest::of(by_id.0.values().map(|(_, early)| *early))),
        }
    }

    /// The whole run of a vendor with this ledger.
    #[must_use]
    pub fn of_run(ledger: &Ledger) -> Self {
        Self::new(ledger, ledger.attempts_by_request_id.len() < REQUEST_IDS_MAX)
    }

    /// Most generations that started in any window of this length; `None` if the ledger no longer had all starts.
    #[must_use]
    pub fn most_starts_within(&self, window: Duration) -> Option<u64> {
        self.starts_ms.as_ref().map(|starts| most_within(starts, window))
    }

    /// Most retries that started in any window of this length, likewise.
    #[must_use]
    pub fn most_retries_within(&self, window: Duration) -> Option<u64> {
        self.retries_ms.as_ref().map(|retries| most_within(retries, window))
    }
}

/// The times after the first of them, to the microsecond; `None` if there are fewer than `count`.
fn after_the_first(times: &[f64], count: u64) -> Option<Vec<f64>> {
    let first = times.iter().copied().reduce(f64::min).unwrap_or_default();
    let after = |time: &f64| ((time - first) * 1000.0).round() / 1000.0;
    (times.len() as u64 == count).then(|| times.iter().map(after).collect())
}

/// Attempts and early attempts by request id.
struct AttemptsById<'a>(BTreeMap<&'a str, (u64, u64)>);

impl<'a> AttemptsById<'a> {
    fn of(ledger: &'a Ledger) -> Self {
        let mut by_id = BTreeMap::<&str, (u64, u64)>::new();
        for (id, attempts) in ledger.attempts_by_request_id.iter().chain(&ledger.refused_by_request_id) {
            by_id.entry(id).or_default().0 += attempts;
        }
        for (id, early) in &ledger.early_by_request_id {
            by_id.entry(id).or_default().1 += early;
        }
        AttemptsById(by_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &[(&str, u64)]) -> BTreeMap<String, u64> {
        of.iter().map(|(id, count)| ((*id).to_owned(), *count)).collect()
    }

    fn ledger() -> Ledger {
        Ledger {
            started: 4,
            retried: 2,
            starts: vec![1_700_000_000_100.5, 1_700_000_000_100.25, 1_700_000_000_180.0, 1_700_000_000_210.0],
            retries: vec![1_700_000_000_180.0, 1_700_000_000_210.0],
            attempts_by_request_id: counts(&[("a", 3), ("b", 1)]),
            refused_by_request_id: counts(&[("b", 1), ("c", 1)]),
            early: 2,
            early_by_request_id: counts(&[("a", 2)]),
            ..Ledger::default()
        }
    }

    #[test]
    fn starts_are_counted_within_a_window() {
        let seen = PhaseLedger::new(&ledger(), true);
        assert_eq!(seen.starts_ms.as_deref(), Some(&[0.25, 0.0, 79.75, 109.75][..]));
        assert_eq!(seen.most_starts_within(Duration::from_millis(100)), Some(3));
        assert_eq!(seen.most_retries_within(Duration::from_millis(10)), Some(1));
    }

    #[test]
    fn refused_attempts_count_and_each_request_is_counted_once() {
        let seen = PhaseLedger::new(&ledger(), true);
        assert_eq!(seen.attempts, Some(PerRequest::of([3, 2, 1])));
        assert_eq!(seen.early_attempts, Some(PerRequest::of([2, 0, 0])));
    }

    #[test]
    fn what_the_ledger_dropped_is_no_evidence() {
        let dropped = Ledger { started: 5, ..ledger() };
        assert_eq!(PhaseLedger::new(&dropped, true).most_starts_within(Duration::from_secs(1)), None);
        let full = PhaseLedger::new(&ledger(), false);
        assert_eq!((full.attempts, full.early_attempts), (None, None));
    }
}
